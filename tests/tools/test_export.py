"""tools/deploy/export.py as a user runs it, on a model that was trained for a minute."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sdpose.apis import testing
from sdpose.config.load import load_config
from sdpose.converters.publishing import publish
from sdpose.deploy.export import ExportRequest, export

TOOL = 'tools/deploy/export.py'
UDP = 'model.head.decoder={_delete_: True, type: UDPHeatmap, input_size: [48, 64], heatmap_size: [12, 16]}'


def test_a_trained_model_becomes_two_verified_files(
    trained: SimpleNamespace, tmp_path: Path, new_home: dict[str, str], run_tool: Callable
) -> None:
    import onnx

    out = tmp_path / 'files'
    done = run_tool(
        TOOL,
        'tiny.py',
        'run/epoch_40.pth',
        '--out',
        out,
        '--format',
        'onnx',
        'openvino',
        cwd=trained.folder,
        env=new_home,
        check=True,
    )
    assert done.stderr == '' and 'joints' in done.stdout and 'ONNX Runtime' in done.stdout
    assert sorted(path.name for path in out.iterdir()) == ['onnx', 'openvino']
    assert sorted(tmp_path.iterdir()) == [out, tmp_path / 'home']
    assert not (tmp_path / 'home/intel').exists()  # the identity under which OpenVINO would report its use
    names = {path.name for path in (out / 'onnx').iterdir()} - {'pose_runtime.py'}
    assert names == {'tiny.onnx', 'metadata.json', 'parity.json'}
    for runtime, file in (('onnx', 'tiny.onnx'), ('openvino', 'tiny.xml')):
        meta = json.loads((out / runtime / 'metadata.json').read_text())
        assert (meta['runtime'], meta['file'], meta['precision']) == (runtime, file, 'fp32')
        report = json.loads((out / runtime / 'parity.json').read_text())
        assert report['images'] == dict(source="the config's test data", count=9)
        assert report['outputs']['heatmaps']['difference'] <= 1e-5
        assert report['joints']['difference'] <= 0.05 and report['joints']['judged'] > 0.5 * report['joints']['all']
    model = onnx.load(out / 'onnx/tiny.onnx')
    assert json.loads({each.key: each.value for each in model.metadata_props}['sdpose']) == json.loads(
        (out / 'onnx/metadata.json').read_text()
    )
    assert [each.version for each in model.opset_import if not each.domain] == [18]


def test_a_published_file_is_the_same_and_int8_has_a_line(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.folder)
    scores = testing.test('tiny.py', 'run/epoch_40.pth', work_dir=str(tmp_path / 'test'))
    (written,) = (tmp_path / 'test').glob('*/metrics.json')
    published = publish('tiny.py', 'run/epoch_40.pth', f'{tmp_path}/pub/', metrics=str(written))
    request = ExportRequest(opset=17, batch=2, outputs='joints', flip_test=True)
    (before,) = export('tiny.py', 'run/epoch_40.pth', str(tmp_path / 'one'), request)
    (after,) = export('tiny.py', str(published.file), str(tmp_path / 'other'), request)
    metas = [json.loads(each.file.with_name('metadata.json').read_text()) for each in (before, after)]
    assert metas[0].pop('metrics') is None and metas[1].pop('metrics') == pytest.approx(scores)
    assert metas[0] == metas[1] and metas[0]['input']['batch'] == 2
    assert metas[0]['flip_test']['inside'] and metas[0]['output']['names'] == ['keypoints', 'scores']

    (small,) = export('tiny.py', 'run/epoch_40.pth', str(tmp_path / 'int8'), ExportRequest(opset=17, precision='int8'))
    assert small.file.name == 'tiny-int8.onnx'
    accuracy = small.report['accuracy']
    assert (
        accuracy['metric'] == 'coco/AP' and 0 < accuracy['fp32'] <= 1 and abs(accuracy['file'] - accuracy['fp32']) < 0.2
    )
    found = testing.test('tiny.py', str(small.file), work_dir=str(tmp_path / 'tested'))
    assert accuracy['file'] == pytest.approx(found['coco/AP'], abs=1e-6) and accuracy['file'] != accuracy['fp32']
    assert 'in fp32' in accuracy['line'] and small.report['calibration'] == dict(source='training crops', count=12)


def test_the_score_of_pytorch_is_that_of_the_test_tool(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accuracy line goes through the config's own flip test, decoding and metric."""
    monkeypatch.chdir(trained.folder)
    wanted = testing.test('tiny.py', 'run/epoch_40.pth', work_dir=str(tmp_path / 'test'))
    request, best = ExportRequest(opset=17, precision='fp16'), 'default_hooks.checkpoint.save_best'
    for save_best, metric in (('coco/AP', 'coco/AP'), (['own/score', 'coco/AR', 'coco/AP'], 'coco/AR')):
        (half,) = export('tiny.py', 'run/epoch_40.pth', str(tmp_path / 'half'), request, {best: save_best})
        assert half.report['accuracy']['metric'] == metric
        assert half.report['accuracy']['fp32'] == pytest.approx(wanted[metric], abs=1e-3)


@pytest.mark.parametrize(
    'options, message',
    [
        (['--format', 'tensorrt'], 'error: --format tensorrt is unknown; choose one of onnx, openvino, ncnn, litert\n'),
        (['--precision', 'bf16'], 'error: --precision bf16: onnx runs here in fp32, fp16, int8; choose one of these\n'),
        (['--opset', '12'], 'error: --opset 12: the heads need operators of opset 13, and the newest'),
        (
            ['--outputs', 'simcc', '--cfg-options', UDP],
            'error: --outputs simcc: rtmlib does not crop by the rule of UDP; choose --outputs joints\n',
        ),
        (['--cfg-options', 'model.neck.dim=64', 'model.head.in_channels=64'], 'error: run/epoch_40.pth does not fit'),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    options: list[str], message: str, trained: SimpleNamespace, tmp_path: Path, run_tool: Callable
) -> None:
    out = tmp_path / 'files'
    done = run_tool(TOOL, 'tiny.py', 'run/epoch_40.pth', '--out', out, *options, cwd=trained.folder)
    assert done.returncode == 2 and done.stdout == '' and list(tmp_path.iterdir()) == []
    assert done.stderr.startswith(message) and 'Traceback' not in done.stderr


def test_without_test_data_people_are_drawn(trained: SimpleNamespace, tmp_path: Path, run_tool: Callable) -> None:
    folder = tmp_path / 'elsewhere'
    folder.mkdir()
    (folder / 'tiny.py').write_text((trained.folder / 'tiny.py').read_text())
    arguments = ('--out', 'files', '--opset', '17', '--outputs', 'simcc', '--batch', '1')
    done = run_tool(TOOL, 'tiny.py', trained.run / 'epoch_40.pth', *arguments, cwd=folder, check=True)
    report = json.loads((folder / 'files/parity.json').read_text())
    assert report['images'] == dict(source='drawn people', count=64) and 'drawn people' in done.stdout
    meta = json.loads((folder / 'files/metadata.json').read_text())
    assert meta['output'] == dict(kind='simcc', names=['simcc_x', 'simcc_y'])
    assert meta['input']['channel_order'] == 'bgr' and not meta['flip_test']['enabled']


@pytest.mark.long
def test_ncnn_and_litert_where_they_are_installed(trained: SimpleNamespace, tmp_path: Path, run_tool: Callable) -> None:
    for name, needed in (('ncnn', 'pnnx'), ('litert', 'litert_torch')):
        out = tmp_path / name
        done = run_tool(
            TOOL, 'tiny.py', 'run/epoch_40.pth', '--out', out, '--format', name, '--batch', '1', cwd=trained.folder
        )
        if name == 'litert' and 'pip install' in done.stderr:  # lives in an environment of its own
            assert done.returncode == 2 and done.stderr.startswith(f'error: --format {name}') and not out.exists()
            continue
        assert done.returncode == 0, done.stderr
        report = json.loads((out / 'parity.json').read_text())
        assert report['outputs']['heatmaps']['difference'] < 1e-5, needed


def test_the_file_alone_gives_the_models_answer(
    trained: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing of the project but the numbers of its metadata."""
    import onnxruntime
    from mmpose.apis import init_model

    monkeypatch.chdir(trained.folder)
    (done,) = export('tiny.py', 'run/epoch_40.pth', str(tmp_path / 'files'), ExportRequest(opset=17))
    session = onnxruntime.InferenceSession(str(done.file), providers=['CPUExecutionProvider'])
    meta = json.loads(session.get_modelmeta().custom_metadata_map['sdpose'])
    width, height = meta['input']['size']
    image = np.random.default_rng(1).standard_normal((1, 3, height, width)).astype(np.float32)
    (found,) = session.run(meta['output']['names'], {meta['input']['name']: image})
    model = init_model(load_config('tiny.py'), 'run/epoch_40.pth', 'cpu')
    with torch.no_grad():
        wanted = model(torch.from_numpy(image), None, mode='tensor')
    assert np.abs(found - wanted.numpy()).max() < 1e-5
