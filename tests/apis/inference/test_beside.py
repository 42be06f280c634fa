"""Visibility and sigmas in the results and files of a run; people who leave the batch when they are done."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from stick_people import write_coco

import sdpose
from sdpose.apis.inference import PoseResult
from sdpose.apis.inference.run import RunOptions, run
from sdpose.config.load import load_config
from sdpose.errors import ConfigError, UserError
from sdpose.evaluation.coco.predictions import from_samples, join, write_results
from sdpose.io.checkpoint import write_checkpoint
from sdpose.models.transformers import MultiCycledTransformer

BOXES = np.array([[8, 6, 66, 100], [90, 8, 145, 110.5], [40, 20, 100, 90]], np.float32)
BOTH = ('keypoint_visibility', 'keypoint_sigmas')
LEAVES = dict(
    heatmaps='sdpose-visibility-tiny_stemnet_1xb32-30e_synthetic-64x48.py',
    reg='sdpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48.py',
)


def write_model(folder: Path, name: str, config: Any) -> Any:
    from mmpose.apis import init_model  # which needs what importing sdpose sets right

    torch.manual_seed(0)
    model: Any = init_model(config, device='cpu')
    model.init_weights()
    for key, value in model.state_dict().items():
        if value.is_floating_point() and 'pos' not in key and 'running' not in key:
            value.add_(0.05 * torch.randn_like(value))
            value.mul_(0.4 if key.startswith('head.mlp.1') else 1)  # scores below 1
    write_checkpoint(dict(state_dict=model.state_dict(), meta={}), folder / f'{name}.pth')
    return model.eval()


@pytest.fixture(scope='module')
def tiny(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp('beside')
    write_coco(folder / 'data')
    pictures = sorted(map(str, (folder / 'data/coco/val2017').iterdir()))[:2]
    models = {}
    for name, leaf in LEAVES.items():
        text = f"_base_ = '{repo_root}/configs/quick_start/{leaf}'\n"
        text += 'model = dict(head=dict(visibility=dict(), report_sigma=True))\n' if name == 'reg' else ''
        (folder / f'{name}.py').write_text(text)
        models[name] = write_model(folder, name, load_config(str(folder / f'{name}.py')))
    return SimpleNamespace(folder=folder, pictures=pictures, models=models)


def inferencer(tiny: SimpleNamespace, name: str, **options: Any) -> sdpose.PoseInferencer:
    return sdpose.PoseInferencer(str(tiny.folder / f'{name}.py'), str(tiny.folder / f'{name}.pth'), **options)


def test_the_values_are_the_models(tiny: SimpleNamespace) -> None:
    """As MMPose's own inference returns them, with the flip test, in pixels of the picture."""
    from mmpose.apis import inference_topdown

    for name, told in (('heatmaps', BOTH[:1]), ('reg', BOTH)):
        poses = inferencer(tiny, name)
        assert poses.model.beside == told
        for result in poses(tiny.pictures, BOXES):
            samples = inference_topdown(tiny.models[name], result.name, BOXES)
            assert set(result.beside()) == set(told)
            for each in told:
                expected = np.concatenate([sample.pred_instances[each] for sample in samples])
                assert expected.shape == (3, 17, 2)[: 3 if each == BOTH[1] else 2] and expected.std() > 1e-4
                np.testing.assert_allclose(getattr(result, each), expected, rtol=1e-4, atol=1e-5)


def test_every_file_of_a_run_has_them(tiny: SimpleNamespace, tmp_path: Path) -> None:
    poses = inferencer(tiny, 'reg')
    options = RunOptions(forms=('json', 'coco', 'npz'))
    results = run(poses, tiny.pictures, tmp_path, [BOXES, []], options=options)
    coco, arrays = json.loads((tmp_path / 'results.json').read_text()), np.load(tmp_path / 'poses.npz')
    people = json.loads(next((tmp_path / 'predictions').glob('*200.json')).read_text())
    assert arrays[BOTH[0]].shape == (3, 17) and arrays[BOTH[1]].shape == (3, 17, 2) and len(people) == 3
    for number, (person, entry) in enumerate(zip(people, coco, strict=True)):
        for each in BOTH:
            value = getattr(results[0], each)[number]
            np.testing.assert_array_equal(np.float32(person[each]), value)
            np.testing.assert_array_equal(np.float32(entry[each]), value.ravel())
            np.testing.assert_array_equal(arrays[each][number], value)
        assert len(entry['keypoints']) == 51
    for result in results:
        again = PoseResult.from_json(json.loads(json.dumps(result.as_json())), 17)
        for each in BOTH:
            np.testing.assert_array_equal(getattr(again, each), getattr(result, each))


def test_nothing_is_written_that_is_not_known(tiny: SimpleNamespace, tmp_path: Path, repo_root: Path) -> None:
    write_model(tmp_path, 'plain', load_config(str(repo_root / 'configs/quick_start' / LEAVES['reg'])))
    leaf = str(repo_root / 'configs/quick_start' / LEAVES['reg'])
    poses = sdpose.PoseInferencer(leaf, str(tmp_path / 'plain.pth'))
    (result,) = run(poses, tiny.pictures[0], tmp_path / 'o', BOXES, options=RunOptions(forms=('json', 'coco', 'npz')))
    written = [json.loads(file.read_text())[0] for file in (tmp_path / 'o').rglob('*.json')]
    assert len(written) == 2 and not any(each in entry for entry in written for each in BOTH)
    assert not set(BOTH) & (set(np.load(tmp_path / 'o/poses.npz')) | set(result.as_json()))
    assert poses.model.done_after is None


def test_the_metrics_result_file(tmp_path: Path) -> None:
    """As the metric writes them of data samples: flat lists beside the key points, where every batch has them."""

    def batch(first: int, *names: str) -> list[dict[str, Any]]:
        values = dict(keypoint_visibility=np.full((1, 2), 0.25), keypoint_sigmas=np.float32([[[1, 2], [3, 4]]]))
        people = InstanceData(
            keypoints=np.float32([[[5, 6], [7, 8]]]),
            keypoint_scores=np.float32([[0.5, 1]]),
            **{name: values[name] for name in names},
        )
        sample = PoseDataSample(metainfo=dict(id=first, img_id=first))
        sample.pred_instances, sample.gt_instances = people, InstanceData(bbox_scores=np.ones(1))
        return [sample.to_dict()]

    def entries(*parts: Any) -> list[dict[str, Any]]:
        people = join(list(parts))
        write_results(tmp_path / 'r.json', people, np.ones(len(people.image)))
        return json.loads((tmp_path / 'r.json').read_text())

    found = entries(from_samples(batch(1, *BOTH), 0), from_samples(batch(2, *BOTH), 1))
    assert [entry[BOTH[0]] for entry in found] == [[0.25, 0.25]] * 2
    assert found[0][BOTH[1]] == [1, 2, 3, 4] and found[0]['keypoints'] == [5, 6, 0.5, 7, 8, 1]
    plain = entries(from_samples(batch(1), 0))
    assert set(plain[0]) == {'category_id', 'image_id', 'keypoints', 'score'}
    assert BOTH[0] not in entries(from_samples(batch(1, *BOTH), 0), from_samples(batch(2), 1))[0]


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many people each cycle is run for."""
    seen, one_cycle = [], MultiCycledTransformer.run_cycle

    def counted(neck: Any, tokens: Any, cycle: int = 1, trace: Any = None, scores: Sequence | None = None) -> Any:
        seen.append((cycle, len(tokens.sequence)))
        return one_cycle(neck, tokens, cycle, trace, scores)

    monkeypatch.setattr(MultiCycledTransformer, 'run_cycle', counted)
    return seen


@pytest.mark.parametrize('flip', [True, False])
def test_who_is_done_has_the_first_cycle(tiny: SimpleNamespace, sizes: list[tuple[int, int]], flip: bool) -> None:
    """Between the first two scores of cycle 1 only those below get cycle 2; the others keep what they have."""
    both = {'model.neck.test_cycles': 2}
    one, two = (inferencer(tiny, 'heatmaps', flip_test=flip, cfg_options=options) for options in ({}, both))
    first, second = (each(tiny.pictures[0], BOXES)[0] for each in (one, two))
    means = first.keypoint_scores.mean(axis=1)
    low, middle, high = np.sort(means)
    assert np.abs(first.keypoint_scores - second.keypoint_scores).max() > 1e-3
    halting = inferencer(tiny, 'heatmaps', flip_test=flip, halt=float(low + middle) / 2)
    sizes.clear()
    (found,) = halting(tiny.pictures[0], BOXES)
    assert sizes == [(1, 3)] * (1 + flip) + [(2, 1)] * (1 + flip)
    assert halting.model.done_after is not None and halting.model.done_after.tolist() == [2, 1]
    for person, mean in enumerate(means):
        expected = second if mean == low else first
        np.testing.assert_allclose(found.keypoint_scores[person], expected.keypoint_scores[person], atol=1e-5)
        np.testing.assert_allclose(found.keypoint_visibility[person], expected.keypoint_visibility[person], atol=1e-5)
        apart = np.abs(found.keypoints[person] - expected.keypoints[person])
        assert np.quantile(apart, 0.9) <= 1e-3
    # Nobody is below, or everybody is.
    for threshold, after in ((float(low) / 2, [3, 0]), (0.99, [0, 3])):
        all_alike = inferencer(tiny, 'heatmaps', halt=threshold, flip_test=flip)
        all_alike(tiny.pictures[0], BOXES)
        assert all_alike.model.done_after is not None and all_alike.model.done_after.tolist() == after


def test_a_run_says_who_was_done_when(tiny: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr('sdpose.models.halting.print_log', lambda text, *args: said.append(text))
    image = cv2.imread(tiny.pictures[0])
    run(inferencer(tiny, 'heatmaps', halt=0.99), [image], tmp_path, BOXES, options=RunOptions(forms=('json',)))
    assert said[0] == 'people were done: 0 after cycle 1, 3 after cycle 2'


def test_what_cannot_halt(tiny: SimpleNamespace, tmp_path: Path) -> None:
    one = dict(cfg_options={'model.neck.num_cycles': 1})
    with pytest.raises(ConfigError, match='halt: by peaks .* takes model.neck.num_cycles of 2 or more, got 1'):
        inferencer(tiny, 'heatmaps', halt=0.5, **one)
    with pytest.raises(ConfigError, match='halt: thresholds by peaks lie between 0 and 1, got 1.5'):
        inferencer(tiny, 'heatmaps', halt=1.5)
    with pytest.raises(ConfigError, match='halt: by motion .* of 3 or more, got 2'):
        inferencer(tiny, 'heatmaps', halt=0.5, halt_by='motion')
    (tmp_path / 'a.onnx').write_bytes(b'')
    with pytest.raises(UserError, match="halt_by='motion' is for checkpoints, but .*a.onnx is an exported file"):
        sdpose.PoseInferencer(weights=str(tmp_path / 'a.onnx'), halt=0.5, halt_by='motion')
    # Published: without the adapters of the second cycle, which would be as in a new model.
    options = {'model.neck.cycle_adapter': dict(type='CycleEmbedding')}
    with pytest.raises(ConfigError, match='halt: .*heatmaps.pth was published without its cycle adapters'):
        inferencer(tiny, 'heatmaps', halt=0.5, cfg_options=options)
