"""Files of further cycles: they answer as the model's cycles do, and only people with low scores get them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from families import SIZES, TINY, pictures, randomize
from mmpose.structures import PoseDataSample

from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.config.nodes import input_size
from sdpose.deploy import PoseRuntime
from sdpose.deploy.export import ExportRequest, export, table
from sdpose.deploy.export.graph import DeployedGraph, FurtherCycle, flip_of, natural_kind
from sdpose.deploy.export.judge import run_cycles
from sdpose.deploy.export.metadata import flip_indices, joints_of
from sdpose.errors import ConfigError
from sdpose.io.checkpoint import write_checkpoint
from sdpose.models.halting import Halting, infer_halting
from sdpose.structures import CycleTokens

PPT = f'sdpose-ppt-tiny{SIZES}'
THREE = {'model.neck.num_cycles': 3}


def load(config: str, **options: Any) -> tuple[Any, Any]:
    cfg = load_config(config, {**THREE, **options})
    model = build_model(cfg.model).eval()
    randomize(model)
    for key, value in model.state_dict().items():
        value.mul_(0.4 if key.startswith('head.mlp.1') else 1)  # scores below 1
    return cfg, model


def graph_of(cfg: Any, model: Any, kind: str | None = None, **options: Any) -> DeployedGraph:
    flip = flip_of(cfg, flip_indices(joints_of(cfg)))
    return DeployedGraph(model, cfg, kind or natural_kind(model), flip, **options)


@pytest.mark.parametrize(
    'config, state',
    [
        (TINY['sdpose'], ('tokens',)),
        (TINY['reg'], ('tokens',)),
        (TINY['simcc'], ('tokens',)),
        (PPT, ('tokens', 'position')),
        (f'sdpose-visibility-tiny{SIZES}', ('tokens',)),
    ],
)
def test_the_graphs_answer_as_the_cycles(config: str, state: tuple[str, ...]) -> None:
    cfg, model = load(config)
    graph = graph_of(cfg, model, cycles=3)
    assert graph.state == state and graph.names[-len(state) :] == state
    image = pictures(input_size(cfg)[::-1], 3)
    plain = graph_of(cfg, model)
    with torch.no_grad():
        cycles = model.neck(model.backbone(image), cycles=3).cycles
        assert len(cycles) == 3
        for number, tokens in enumerate(cycles, 1):
            found = run_cycles(graph, number)(image.numpy())
            wanted = (*plain.read(CycleTokens((tokens,), 0)), tokens.sequence)
            assert len(found) == len(graph.names)
            for one, other in zip(found, wanted):
                assert np.abs(one - other.numpy()).max() <= 1e-5 * max(1, np.abs(one).max()), number
    moved = [np.abs(run_cycles(graph, n)(image.numpy())[0] - found[0]).max() for n in (1, 2)]
    assert min(moved) > 1e-2  # the cycles differ


def test_joints_that_are_decoded_inside() -> None:
    cfg, model = load(TINY['sdpose'])
    image = pictures(input_size(cfg)[::-1], 3)
    graph, plain = graph_of(cfg, model, 'joints', cycles=2), graph_of(cfg, model, cycles=2)
    assert graph.names == ('keypoints', 'scores', 'tokens')
    joints, scores, tokens = run_cycles(graph, 2)(image.numpy())
    maps, wanted = run_cycles(plain, 2)(image.numpy())
    np.testing.assert_allclose(tokens, wanted, atol=1e-5)
    assert plain.decoder is None and graph.decoder is not None
    decoded = graph.decoder(torch.from_numpy(maps))
    np.testing.assert_allclose(joints, decoded[0], atol=1e-3)
    np.testing.assert_allclose(scores, decoded[1], atol=1e-6)


@pytest.fixture(scope='module', params=['heatmaps', 'ppt'])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path, Any]:
    """A config, its model, the folder of its files and their report."""
    folder = tmp_path_factory.mktemp('further')
    config = PPT if request.param == 'ppt' else TINY['sdpose']
    cfg, model = load(config)
    write_checkpoint(dict(state_dict=model.state_dict(), meta={}), folder / 'model.pth')
    asked = ExportRequest(cycles=3, formats=('onnx',) if request.param == 'ppt' else ('onnx', 'openvino'))
    out = folder / 'out'
    done = export(config, str(folder / 'model.pth'), str(out), asked, THREE)
    return cfg, model, out, done[0].report


def test_what_is_written(exported: tuple) -> None:
    cfg, _, out, report = exported
    folder = out if (out / 'metadata.json').is_file() else out / 'onnx'
    metadata = json.loads((folder / 'metadata.json').read_text())
    name = Path(metadata['file']).stem
    assert metadata['further'] == dict(file=f'{name}-further.onnx', cycles=3)
    further = onnx.load(folder / f'{name}-further.onnx')
    own = json.loads(next(each.value for each in further.metadata_props if each.key == 'sdpose'))
    names = [f'previous_{each}' for each in metadata['output']['state']]
    assert [each.name for each in further.graph.input] == own['input']['names'] == names
    assert own['continues'] == metadata['file'] and 'further' not in own
    weights = {each.name for each in further.graph.initializer}
    assert not any('backbone' in each or 'patch_embed' in each for each in weights)  # they are in the first file alone
    found = report['further']
    assert found['cycles'] == 3 and all(
        each['difference'] <= 1e-4 * each['largest'] for each in found['outputs'].values()
    )
    assert f'further cycles  {name}-further.onnx; after cycle 3:' in table(report)


@pytest.mark.parametrize('flip', [False, True])
def test_who_is_done_has_the_first_cycle(exported: tuple, flip: bool) -> None:
    cfg, model, out, _ = exported
    crops = np.random.default_rng(3).integers(0, 256, (9, 64, 48, 3), dtype=np.uint8)
    size = input_size(cfg)
    meta = dict(flip_indices=list(flip_indices(joints_of(cfg))), input_size=size)
    samples = [PoseDataSample(metainfo=meta) for _ in crops]
    images = model.data_preprocessor(
        dict(inputs=[torch.from_numpy(crop).permute(2, 0, 1) for crop in crops], data_samples=samples), False
    )['inputs']
    model.test_cfg['flip_test'] = flip
    folders = [out] if (out / 'metadata.json').is_file() else [out / 'onnx', out / 'openvino']
    for folder in folders:
        scores = PoseRuntime(folder, threads=1, flip_test=flip).infer(crops)[1].mean(axis=1)
        low, high = np.sort(scores)[3:5]
        threshold = float(low + high) / 2
        runtime = PoseRuntime(folder, threads=1, flip_test=flip, halt=threshold, batch_size=4)
        found = runtime.infer_all(crops)
        wanted, depths = infer_halting(model, images, samples, Halting((threshold,)))
        assert runtime.done_after.tolist() == np.bincount(depths.numpy() - 1, minlength=3).tolist()
        assert runtime.done_after[0] == 5 and runtime.done_after[1:].sum() == 4
        for number, each in enumerate(wanted):
            np.testing.assert_allclose(found['keypoint_scores'][number], each.keypoint_scores[0], atol=1e-5)
            apart = np.abs(found['keypoints'][number] - each.keypoints[0])  # noise has peaks that the last digit moves
            assert np.quantile(apart, 0.8) <= 1e-3


def test_without_halt_everybody_has_the_first(exported: tuple) -> None:
    cfg, model, out, _ = exported
    folder = out if (out / 'metadata.json').is_file() else out / 'onnx'
    crops = np.random.default_rng(3).integers(0, 256, (3, 64, 48, 3), dtype=np.uint8)
    runtime = PoseRuntime(folder, threads=1, flip_test=False)
    joints, scores = runtime.infer(crops)
    assert runtime.done_after is None
    none = PoseRuntime(folder, threads=1, flip_test=False, halt=1e-6)
    np.testing.assert_array_equal(none.infer(crops)[1], scores)
    assert none.done_after.tolist() == [3, 0, 0]
    every = PoseRuntime(folder, threads=1, flip_test=False, halt=1 - 1e-6)
    assert np.abs(every.infer(crops)[1] - scores).max() > 1e-3 and every.done_after.tolist() == [0, 0, 3]


def test_what_a_program_refuses(exported: tuple, tmp_path: Path) -> None:
    _, _, out, _ = exported
    folder = out if (out / 'metadata.json').is_file() else out / 'onnx'
    further = next(folder.glob('*-further.onnx'))
    with pytest.raises(ValueError, match=r'-further.onnx holds a further cycle alone: name .*48.onnx, and say halt'):
        PoseRuntime(further)
    with pytest.raises(ValueError, match=r'halt=1.5: give a score between 0 and 1'):
        PoseRuntime(folder, halt=1.5)
    alone = tmp_path / 'alone'
    alone.mkdir()
    for name in (further.name.replace('-further', ''), 'metadata.json'):
        (alone / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(ValueError, match=r'-further.onnx does not exist'):
        PoseRuntime(alone, halt=0.5)


@pytest.mark.parametrize(
    'config, options, request_, message',
    [
        (TINY['sdpose'], {}, dict(cycles=4), r'--cycles 4: the model was trained with 3'),
        (TINY['simple'], {'model.neck': None}, dict(cycles=2), r'--cycles 2: the model was trained with 1'),
        (TINY['sdpose'], {'model.neck.test_cycles': 2}, dict(cycles=3), r'test_cycles=2 are deployed as one pass'),
        (
            TINY['sdpose'],
            {'model.neck.cycle_adapter': dict(type='CycleEmbedding')},
            dict(cycles=2),
            r'with model.neck.cycle_adapter each cycle is another: export one',
        ),
        (PPT, {'model.neck.pruner.cycles': None}, dict(cycles=2), r'the model prunes in later cycles, too'),
        (TINY['sdpose'], {}, dict(cycles=2, outputs='simcc'), r'--outputs simcc is for rtmlib, which runs one file'),
        (TINY['sdpose'], {}, dict(cycles=2, formats=('ncnn',), batch=1), r'--format ncnn holds one cycle'),
    ],
)
def test_what_an_export_refuses(config: str, options: dict, request_: dict, message: str, tmp_path: Path) -> None:
    if config == TINY['simple']:
        cfg = load_config(config)
        model = build_model(cfg.model).eval()
        options = {}
    else:
        cfg, model = load(config, **options)
        options = {**THREE, **options}
    write_checkpoint(dict(state_dict=model.state_dict(), meta={}), tmp_path / 'model.pth')
    with pytest.raises(ConfigError, match=message):
        export(config, str(tmp_path / 'model.pth'), str(tmp_path / 'out'), ExportRequest(**request_), options)
    assert not (tmp_path / 'out').exists()


def test_requests_that_do_not_go_together() -> None:
    for options, message in (
        (dict(cycles=0), '--cycles 0: give at least 1'),
        (dict(cycles=2, precision='int8'), '--cycles 2: a further cycle is not calibrated'),
        (dict(cycles=2, flip_test=True), '--cycles 2: with --flip-test the graph averages'),
    ):
        with pytest.raises(ConfigError, match=message):
            ExportRequest(**options)


def test_a_further_cycle_begins_with_the_tokens() -> None:
    cfg, model = load(PPT)
    further = FurtherCycle(graph_of(cfg, model, cycles=2))
    tokens, position = further.example(2)
    assert tokens.shape == position.shape and further.position is None
    plain = FurtherCycle(graph_of(*load(TINY['sdpose']), cycles=2))
    assert len(plain.example(2)) == 1 and plain.position is not None
