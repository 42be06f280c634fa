"""``tools/test.py CONFIG FILE``: an exported file by the metric, boxes and crops of its checkpoint."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from exported_models import Deployed, describe, label_onnx, write_onnx
from mmengine.dataset import pseudo_collate
from torch import nn

import sdpose
from sdpose.apis.exported import is_exported
from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.deploy.exported_model import ExportedModel
from sdpose.errors import ConfigError, UserError
from sdpose.structures import ClassSample


def evaluate(posed: SimpleNamespace, work_dir: Path, weights: str, **more: Any) -> tuple[dict, dict]:
    """The metrics of a test, and what was written about it."""
    metrics = sdpose.test(str(posed.folder / 'tiny.py'), str(posed.folder / weights), work_dir=str(work_dir), **more)
    return metrics, json.loads(next(work_dir.glob('*/metrics.json')).read_text())


def predictions(file: Path) -> list[np.ndarray]:
    """Key points of a dump."""
    with file.open('rb') as opened:
        return [sample['pred_instances']['keypoints'] for sample in pickle.load(opened)]


def test_a_file_scores_as_its_checkpoint(posed: SimpleNamespace, tmp_path: Path):
    theirs, _ = evaluate(posed, tmp_path / 'a', 'model.pth', dump=str(tmp_path / 'a.pkl'))
    ours, record = evaluate(
        posed, tmp_path / 'b', 'model.onnx', dump=str(tmp_path / 'b.pkl'), out=str(tmp_path / 'b.json')
    )
    assert 0.2 < theirs['coco/AP'] < 0.95  # else everything scores alike
    assert ours == pytest.approx(theirs, abs=1e-6)
    mine, expected = predictions(tmp_path / 'b.pkl'), predictions(tmp_path / 'a.pkl')
    assert len(mine) == len(expected) == 9
    for one, other in zip(mine, expected):
        assert one.shape == other.shape == (1, 17, 2) and one.dtype == other.dtype
        np.testing.assert_allclose(one, other, atol=1e-3)
    assert record['exported'] == dict(runtime='onnx', precision='fp32', flip_test='yes')
    assert record['checkpoint'].endswith('model.onnx') and '9 detections' in record['boxes']
    assert len(json.loads((tmp_path / 'b.json').read_text())) == 8  # one person was found twice


def test_hooks_that_copy_a_model_leave_a_file_as_it_is(posed: SimpleNamespace, tmp_path: Path):
    plain, _ = evaluate(posed, tmp_path / 'a', 'model.onnx')
    hooks = [dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.0002, update_buffers=True)]
    averaged, _ = evaluate(posed, tmp_path / 'b', 'model.onnx', cfg_options=dict(custom_hooks=hooks))
    assert averaged == plain


def test_a_report_of_a_file(posed: SimpleNamespace, tmp_path: Path):
    evaluate(posed, tmp_path / 'work', 'model.onnx', report=str(tmp_path / 'report'))
    page = (tmp_path / 'report/index.html').read_text()
    assert 'samples a second on a CPU' in page


def test_boxes_and_the_flip_test_can_be_chosen(posed: SimpleNamespace, tmp_path: Path):
    options: dict[str, Any] = dict(gt_bbox=True, cfg_options={'model.test_cfg.flip_test': False})
    theirs, _ = evaluate(posed, tmp_path / 'a', 'model.pth', **options)
    ours, record = evaluate(posed, tmp_path / 'b', 'model.onnx', **options, dump=str(tmp_path / 'b.pkl'))
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert '8 ground-truth boxes' in record['boxes'] and record['exported']['flip_test'] == 'no'
    _, record = evaluate(posed, tmp_path / 'c', 'model.onnx', gt_bbox=True, dump=str(tmp_path / 'c.pkl'))
    assert record['exported']['flip_test'] == 'yes'
    assert abs(np.array(predictions(tmp_path / 'b.pkl')) - predictions(tmp_path / 'c.pkl')).max() > 0.05


class Swapped(nn.Module):
    """A model for pictures in blue, green, red, as some programs feed it: the mean stays in the order of the file."""

    def __init__(self, inner: nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.inner = inner
        self.mean, self.std = (torch.tensor(values).view(3, 1, 1) for values in (mean, std))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        pixels = (image * self.std + self.mean).flip(1)
        return self.inner((pixels - self.mean) / self.std)


def test_a_file_is_fed_as_its_metadata_say(posed: SimpleNamespace, tmp_path: Path):
    """Not as the config's preprocessor does: what is shipped is tested."""
    metadata = describe(posed.cfg, 'heatmaps')
    metadata['input']['channel_order'] = 'bgr'
    module = Swapped(Deployed(posed.model), metadata['input']['mean'], metadata['input']['std'])
    write_onnx(module, tmp_path / 'model.onnx', metadata)
    theirs, _ = evaluate(posed, tmp_path / 'a', 'model.onnx')
    ours = sdpose.test(str(posed.folder / 'tiny.py'), str(tmp_path), work_dir=str(tmp_path / 'b'))  # its folder
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_the_tool_takes_a_file(posed: SimpleNamespace, tmp_path: Path, run_tool: Callable):
    arguments = [posed.folder / 'tiny.py', posed.file, '--work-dir', tmp_path, '--format-only']
    done = run_tool('tools/test.py', *arguments, '--out', tmp_path / 'out.json', check=True)
    log = done.stdout + done.stderr
    assert f'exported file: {posed.file} (runtime onnx, precision fp32, flip_test yes)' in log
    assert 'checked: 8 results for 4 images, sound' in log and 'not read' not in log


def test_overrides_of_a_model_that_is_not_built_are_named(posed: SimpleNamespace, tmp_path: Path, run_tool: Callable):
    options = ['model.test_cfg.shift_heatmap=False', 'model.test_cfg.flip_test=False', 'test_dataloader.batch_size=1']
    arguments = [posed.folder / 'tiny.py', posed.file, '--work-dir', tmp_path, '--cfg-options', *options]
    done = run_tool('tools/test.py', *arguments, check=True)
    said = f'- model.test_cfg.shift_heatmap: not read, {posed.file} holds the model as it was exported'
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize('name, value', [('all_cycles', True), ('allow_partial', True), ('launcher', 'pytorch')])
def test_options_of_checkpoints_are_refused(posed: SimpleNamespace, tmp_path: Path, name: str, value: Any):
    option = name.replace('_', '-')
    with pytest.raises(UserError, match=f'^--{option} is for checkpoints, but .*model.onnx is an exported file'):
        evaluate(posed, tmp_path, 'model.onnx', **{name: value})


@pytest.mark.parametrize(
    'halt, by, message',
    [
        ([0.5, 0.6], 'peaks', '--halt: .*model.onnx is an exported file, which goes by one score of peaks: give one'),
        ([0.5], 'motion', '--halt: .*model.onnx is an exported file, which goes by one score of peaks: give one'),
        ([0.5], 'peaks', 'halt=0.5: .*model.onnx holds one cycle: export the model with --cycles'),
    ],
)
def test_halting_of_a_file(posed: SimpleNamespace, tmp_path: Path, halt: list[float], by: str, message: str):
    with pytest.raises(UserError, match=message):
        evaluate(posed, tmp_path, 'model.onnx', halt=halt, halt_by=by)


def test_a_file_of_another_model_is_refused(posed: SimpleNamespace, tmp_path: Path):
    def refused(message: str, error: type[UserError] = ConfigError, **changes: Any) -> None:
        metadata = describe(posed.cfg, 'heatmaps')
        for dotted, value in changes.items():
            *parts, name = dotted.split('__')
            node = metadata
            for part in parts:
                node = node[part]
            node[name] = value
        file = tmp_path / 'other.onnx'
        shutil.copy(posed.file, file)
        label_onnx(file, json.dumps(metadata))
        with pytest.raises(error, match=message) as caught:
            sdpose.test(str(posed.folder / 'tiny.py'), str(file), work_dir=str(tmp_path / 'work'))
        assert '\n' not in str(caught.value) and str(file) in str(caught.value)

    names = describe(posed.cfg, 'heatmaps')['joints']['names']
    refused(r'input_size \(w, h\) is \[48, 64\] in .*tiny.py, but \[192, 256\] in .*other.onnx', input__size=[192, 256])
    refused('codec.blur_kernel_size is 5 in .*tiny.py, but 11 in .*other.onnx: test', codec__blur_kernel_size=11)
    refused('codec.type is MSRAHeatmap in .*, but UDPHeatmap', codec__type='UDPHeatmap')
    refused('the number of joints is 17 in .*tiny.py, but 16 in .*other.onnx', joints__names=names[:16])
    refused(r'joint 1 \(counted from 0\) is left_eye in', joints__names=[names[0], names[2], names[1], *names[3:]])
    refused('padding of the boxes is 1.25 in .*, but 1.0 in', padding=1.0)
    refused('use_udp of WindowedAffine is False in .*tiny.py, but True in .*other.onnx', use_udp=True)
    refused('task is pose in .*tiny.py, but classes in', task='classes')
    refused('format_version of its metadata is 7', UserError, format_version=7)
    refused('holds no|has no|cannot|lack input.name', UserError, input__name=None)


def test_a_file_of_another_config_is_tested_with_a_warning(
    posed: SimpleNamespace, tmp_path: Path, capfd: pytest.CaptureFixture
):
    """Where input, joints and codec agree nothing else tells two models apart."""
    file = tmp_path / 'other.onnx'
    shutil.copy(posed.file, file)
    label_onnx(file, json.dumps(describe(posed.cfg, 'heatmaps', config='ppt-tiny')))
    for tested, warned in ((posed.file, False), (file, True)):
        sdpose.test(str(posed.folder / 'tiny.py'), str(tested), work_dir=str(tmp_path / 'work'))
        said = ''.join(capfd.readouterr())
        assert (f'{tested} is of the model of ppt-tiny, not of tiny' in said) == warned


def test_a_codec_of_another_type_is_named_by_it(posed: SimpleNamespace, tmp_path: Path):
    """Not by the first key in order that the other one lacks."""
    file = tmp_path / 'other.onnx'
    shutil.copy(posed.file, file)
    codec = dict(type='SimCCLabel', input_size=[48, 64], simcc_split_ratio=2.0)
    label_onnx(file, json.dumps(describe(posed.cfg, 'heatmaps', codec=codec)))
    with pytest.raises(ConfigError, match='codec.type is MSRAHeatmap in .*, but SimCCLabel in .*other.onnx'):
        sdpose.test(str(posed.folder / 'tiny.py'), str(file), work_dir=str(tmp_path / 'work'))


def test_the_batch_decoder_takes_the_place_of_mmposes(posed: SimpleNamespace, tmp_path: Path):
    """In the checkpoint's test and in the file's: the codec goes by either name."""
    options = dict(cfg_options={'codec.type': 'BatchMSRAHeatmap'})
    for weights in ('model.pth', 'model.onnx'):
        ours, _ = evaluate(posed, tmp_path / weights / 'a', weights, **options, dump=str(tmp_path / 'a.pkl'))
        theirs, _ = evaluate(posed, tmp_path / weights / 'b', weights, dump=str(tmp_path / 'b.pkl'))
        assert ours == theirs
        np.testing.assert_array_equal(predictions(tmp_path / 'a.pkl'), predictions(tmp_path / 'b.pkl'))


def test_what_is_an_exported_file(tmp_path: Path):
    (tmp_path / 'work').mkdir()
    (tmp_path / 'work/epoch_1.pth').touch()
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/model.onnx').touch()
    assert is_exported('none.onnx') and is_exported(str(tmp_path / 'out')) and is_exported('a/model.tflite')
    assert not is_exported('none.pth') and not is_exported(str(tmp_path / 'work'))
    assert not is_exported('https://host/model.pth')
    with pytest.raises(UserError, match='none.onnx does not exist: name an exported .onnx or .xml file'):
        sdpose.test('sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py', 'none.onnx', work_dir=str(tmp_path))


def test_classes_are_predicted(repo_root: Path, tmp_path: Path):
    cfg = load_config(str(repo_root / 'configs/quick_start/sdpose-deit-mini_1xb64-30e_shapes-40x40.py'))
    torch.manual_seed(2)
    model = build_model(cfg.model).eval()
    metadata = dict(
        format_version=1,
        task='classes',
        input=dict(name='image', size=[40, 40], mean=[0, 0, 0], std=[1, 1, 1], channel_order='rgb', batch=None),
        output=dict(kind='classes', names=['logits']),
    )
    file = write_onnx(Deployed(model), tmp_path / 'model.onnx', metadata)
    ours = ExportedModel(str(file), 'classes', data_preprocessor=cfg.model.data_preprocessor)
    batch = pseudo_collate(
        [dict(inputs=torch.rand(3, 40, 40), data_samples=ClassSample(gt_label=torch.tensor(1))) for _ in range(5)]
    )
    with torch.no_grad():
        found, expected = ([sample.pred_score for sample in each.test_step(batch)] for each in (ours, model))
    torch.testing.assert_close(torch.stack(list(found)), torch.stack(list(expected)), atol=1e-5, rtol=1e-4)
    with pytest.raises(NotImplementedError, match="there is no 'loss' of it"):
        ours(torch.rand(1, 3, 40, 40), [], mode='loss')
