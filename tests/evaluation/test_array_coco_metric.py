"""COCO's evaluation on arrays gives the numbers and the results of MMPose's ``CocoMetric``."""

import contextlib
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.logging import MessageHub
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation.metrics import CocoMetric
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from sdpose.benchmarks.generated_people import World, generate
from sdpose.errors import DataError
from sdpose.evaluation import ArrayCocoMetric, CycleEvaluator
from sdpose.evaluation.coco import truth

COCO_META = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
CROWDPOSE_META = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/crowdpose.py'))
CROWD = dict(iou_type='keypoints_crowd', use_area=False)


def evaluate(
    kind: type, file: Path, samples: list, prefix: Path | None = None, meta: dict = COCO_META, **options: Any
) -> dict[str, float]:
    """The metrics of samples that come in batches of 7."""
    with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
        metric = kind(ann_file=str(file), outfile_prefix=None if prefix is None else str(prefix), **options)
        metric.dataset_meta = dict(meta)
        for first in range(0, len(samples), 7):
            metric.process([], samples[first : first + 7])
        return metric.evaluate(len(samples))


def assert_equal(folder: Path, world: World, meta: dict = COCO_META, **options: Any) -> None:
    """Numbers to the last digit, their order, and the result file."""
    file = folder / 'people.json'
    samples = generate(world, file)
    theirs = evaluate(CocoMetric, file, samples, folder / 'theirs', meta, **options)
    ours = evaluate(ArrayCocoMetric, file, samples, folder / 'ours', meta, **options)
    assert list(ours) == list(theirs)
    assert [float(value) for value in theirs.values()] == list(ours.values())
    files = [json.loads((folder / f'{side}.keypoints.json').read_text()) for side in ('ours', 'theirs')]
    assert files[0] == files[1]


@pytest.mark.parametrize('score_mode', ['bbox_keypoint', 'bbox', 'bbox_rle', 'keypoint'])
@pytest.mark.parametrize('nms_mode', ['oks_nms', 'soft_oks_nms', 'none'])
def test_every_mode(tmp_path: Path, score_mode: str, nms_mode: str) -> None:
    assert_equal(tmp_path, World(12, seed=1), score_mode=score_mode, nms_mode=nms_mode)


@pytest.mark.parametrize(
    'more, options',
    [
        (dict(), dict(use_area=False)),
        (dict(), dict(nms_thr=0.5, keypoint_score_thr=0.5)),
        (dict(crowds=0.6), {}),
        (dict(unlabelled=0.9), {}),
        (dict(boxes=False), {}),
        (dict(people=12, detections=60), dict(nms_mode='none')),
        (dict(people=0, detections=5), {}),
    ],
)
def test_what_is_odd(tmp_path: Path, more: dict, options: dict) -> None:
    for seed in range(4):
        assert_equal(tmp_path, World(8, seed=seed, **more), **options)


def test_other_joints_and_sigmas(tmp_path: Path) -> None:
    meta = dict(COCO_META, num_keypoints=9, sigmas=np.linspace(0.02, 0.11, 9, dtype=np.float32))
    for seed in range(3):
        assert_equal(tmp_path, World(10, joints=9, seed=seed), meta)


@pytest.mark.parametrize('more', [dict(), dict(crowds=0.6), dict(unlabelled=0.9)])
def test_crowdpose(tmp_path: Path, more: dict) -> None:
    for seed in range(3):
        assert_equal(tmp_path, World(15, joints=14, seed=seed, **more), CROWDPOSE_META, **CROWD)


def test_several_categories_and_one_that_is_not_listed(tmp_path: Path) -> None:
    file = tmp_path / 'people.json'
    samples = generate(World(20, seed=5), file)
    content = json.loads(file.read_text())
    content['categories'] = [dict(id=3, name='dog'), dict(id=1, name='cat'), dict(id=9, name='absent')]
    for ann in content['annotations']:
        ann['category_id'] = (1, 3, 3, 4)[ann['id'] % 4]
    for number, sample in enumerate(samples):
        sample['category_id'] = (3, 1, 4)[number % 3]
    del content['annotations'][0]['iscrowd']
    file.write_text(json.dumps(content))
    theirs, ours = (evaluate(kind, file, samples) for kind in (CocoMetric, ArrayCocoMetric))
    assert [float(value) for value in theirs.values()] == list(ours.values())


def test_repeated_and_unordered_samples_count_once(tmp_path: Path) -> None:
    file = tmp_path / 'people.json'
    samples = generate(World(10, seed=2), file)
    order = np.random.default_rng(0).permutation(len(samples)).tolist()
    mixed = [samples[place] for place in [*order, *order[:20]]]
    theirs, ours = (evaluate(kind, file, mixed) for kind in (CocoMetric, ArrayCocoMetric))
    assert [float(value) for value in theirs.values()] == list(ours.values())


def test_several_people_in_one_sample(tmp_path: Path) -> None:
    """As bottom-up models predict: a list of ids, no boxes, one box score for nobody."""
    file = tmp_path / 'people.json'
    by_image: dict[int, list] = {}
    for sample in generate(World(10, boxes=False, seed=3), file):
        by_image.setdefault(sample['img_id'], []).append(sample['pred_instances'])
    samples = [
        dict(
            id=[image],
            img_id=image,
            gt_instances={},
            pred_instances={key: np.concatenate([each[key] for each in found]) for key in found[0]},
        )
        for image, found in by_image.items()
    ]
    theirs, ours = (evaluate(kind, file, samples, score_mode='keypoint') for kind in (CocoMetric, ArrayCocoMetric))
    assert [float(value) for value in theirs.values()] == list(ours.values())


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('field', ['keypoints', 'keypoint_scores'])
def test_what_is_no_number_is_counted_as_by_mmpose(tmp_path: Path, value: float, field: str) -> None:
    file = tmp_path / 'people.json'
    samples = generate(World(8, seed=4), file)
    for sample in samples[::5]:
        sample['pred_instances'][field][0, 3:] = value
    theirs, ours = (evaluate(kind, file, samples) for kind in (CocoMetric, ArrayCocoMetric))
    assert [float(value) for value in theirs.values()] == list(ours.values())


def test_an_annotation_without_key_points_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / 'people.json'
    samples = generate(World(8, seed=6), file)
    content = json.loads(file.read_text())
    for ann in content['annotations'][::3]:
        for key in ('keypoints', 'num_keypoints', 'area'):
            del ann[key]
    file.write_bytes(json.dumps(content).encode('utf-8-sig'))
    theirs, ours = (evaluate(kind, file, samples) for kind in (CocoMetric, ArrayCocoMetric))
    assert [float(value) for value in theirs.values()] == list(ours.values())


def test_format_only_writes_and_reads_no_annotations(tmp_path: Path) -> None:
    samples = generate(World(5), tmp_path / 'people.json')
    found = evaluate(ArrayCocoMetric, tmp_path / 'absent.json', samples, tmp_path / 'a' / 'ours', format_only=True)
    theirs = evaluate(CocoMetric, tmp_path / 'people.json', samples, tmp_path / 'theirs', format_only=True)
    assert found == theirs == {}
    written = [json.loads((tmp_path / name).read_text()) for name in ('a/ours.keypoints.json', 'theirs.keypoints.json')]
    assert written[0] == written[1]


@pytest.mark.parametrize('options', [dict(backend='xtcocotools'), dict(pred_converter=None)])
def test_the_way_back_is_mmposes_own(tmp_path: Path, options: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = COCOeval.evaluate
    monkeypatch.setattr(COCOeval, 'evaluate', lambda self: (calls.append(1), original(self))[1])
    file = tmp_path / 'people.json'
    samples = generate(World(5), file)
    found = evaluate(ArrayCocoMetric, file, samples, **options)
    assert bool(calls) == ('backend' in options)
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        evaluate(ArrayCocoMetric, file, samples)
    )


def test_a_data_sets_file_is_found_and_parsed_once_for_all_cycles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / 'people.json'
    samples = generate(World(6), file)
    parsed: list[str] = []
    read = truth.read_json
    monkeypatch.setattr(truth, 'read_json', lambda *given: (parsed.append(str(given[0])), read(*given))[1])
    hub = MessageHub.get_current_instance()
    hub.update_info('array-metric_ann_file', str(file))
    evaluator = CycleEvaluator([[ArrayCocoMetric()], [ArrayCocoMetric(score_mode='bbox')]])
    evaluator.dataset_meta = dict(COCO_META, dataset_name='array-metric')
    for cycle in evaluator.cycles:
        cycle.process(samples)
    metrics = {name: value for cycle in evaluator.cycles for name, value in cycle.evaluate(len(samples)).items()}
    assert parsed == [str(file)]
    assert metrics == evaluate(ArrayCocoMetric, file, samples, score_mode='bbox')
    file.write_text(json.dumps(dict(json.loads(file.read_text()), annotations=[])))
    assert set(evaluate(ArrayCocoMetric, file, samples).values()) == {-1.0}  # another state of the file is read again


def test_annotations_that_come_with_the_samples_are_mmposes(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = ArrayCocoMetric()
    metric.dataset_meta = dict(COCO_META, dataset_name='a set without a file')
    sample = dict(
        id=1,
        img_id=1,
        ori_shape=(9, 9),
        raw_ann_info=dict(id=1),
        gt_instances={},
        pred_instances=dict(keypoints=np.zeros((1, 17, 2)), keypoint_scores=np.ones((1, 17))),
    )
    metric.process([], [sample])
    assert metric.results[0][1]['raw_ann_info'] == [dict(id=1)]


def server_numbers(file: Path, results: Path) -> np.ndarray:
    """COCO's ten numbers of results as they are submitted: without boxes."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(file))
        content = [
            {key: value for key, value in each.items() if key != 'bbox'} for each in json.loads(results.read_text())
        ]
        evaluation = COCOeval(coco, coco.loadRes(content), 'keypoints', COCO_META['sigmas'])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def test_what_cocos_server_says_of_results_without_boxes_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr('sdpose.evaluation.array_coco_metric.print_log', lambda text, *_: said.append(text))
    file = tmp_path / 'people.json'
    samples = generate(World(30, seed=8), file)
    found = evaluate(ArrayCocoMetric, file, samples, tmp_path / 'ours')
    stats = server_numbers(file, tmp_path / 'ours.keypoints.json')
    (line,) = said
    assert line.startswith(f'AP (M) {found["coco/AP (M)"]:.4f}, AP (L) {found["coco/AP (L)"]:.4f} are MMPose')
    assert f'computes AP (M) {stats[3]:.4f}, AP (L) {stats[4]:.4f} for' in line
    others = [name for name in found if name not in ('coco/AP (M)', 'coco/AP (L)')]
    assert [found[name] for name in others] == [*stats[:3], *stats[5:]]
    said.clear()
    for sample in samples:
        del sample['pred_instances']['bboxes']
    evaluate(ArrayCocoMetric, file, samples)
    assert said == []


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda content: content.pop('categories'), 'has no list of categories'),
        (lambda content: content['annotations'][0].pop('area'), r'1 of \d+ people have no area.*use_area=False'),
        (lambda content: content['annotations'][0].pop('image_id'), "KeyError: 'image_id'"),
        (lambda content: content['annotations'][0]['keypoints'].pop(), 'as many keypoints as the others'),
        (lambda content: content['images'].pop(0), 'lacks the image 7, and others of'),
    ],
)
def test_a_file_that_cannot_be_evaluated_with(tmp_path: Path, change: Callable, message: str) -> None:
    file = tmp_path / 'people.json'
    samples = generate(World(4), file)
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        evaluate(ArrayCocoMetric, file, samples)


def test_crowdpose_needs_its_own_fields(tmp_path: Path) -> None:
    file = tmp_path / 'people.json'
    samples = generate(World(4, joints=14), file)
    content = json.loads(file.read_text())
    del content['annotations'][0]['num_keypoints']
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match='1 people have no num_keypoints'):
        evaluate(ArrayCocoMetric, file, samples, None, CROWDPOSE_META, **CROWD)
    del content['images'][0]['crowdIndex']
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match='1 images have no crowdIndex'):
        evaluate(ArrayCocoMetric, file, samples, None, CROWDPOSE_META, **CROWD)


def test_arguments_and_an_evaluation_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="backend must be one of arrays, xtcocotools, got 'pycocotools'"):
        ArrayCocoMetric(backend='pycocotools')
    with pytest.raises(DataError, match='cannot be read'):
        ArrayCocoMetric(ann_file=str(tmp_path / 'absent.json'))
    file = tmp_path / 'people.json'
    generate(World(2), file)
    with pytest.raises(DataError, match='no sample was predicted'):
        evaluate(ArrayCocoMetric, file, [])


def test_two_processes_with_unequal_shares_over_gloo(run_tool: Callable, repo_root: Path, tmp_path: Path) -> None:
    """Stretches of 3 to 1, turns with a repeated end, and a process without any sample."""
    file = tmp_path / 'people.json'
    samples = generate(World(8, seed=9), file)
    done = run_tool(
        '-m',
        'torch.distributed.run',
        '--nproc_per_node=2',
        '--master_port=0',
        '--rdzv_backend=c10d',
        '--rdzv_endpoint=localhost:0',
        repo_root / 'tests/evaluation/two_processes.py',
        tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    expected = evaluate(CocoMetric, file, samples, tmp_path / 'theirs')
    for deal in ('stretches', 'turns', 'one'):
        for rank in (0, 1):
            assert json.loads((tmp_path / f'{deal}.{rank}.json').read_text()) == expected
    people = [json.loads((tmp_path / f'{name}.keypoints.json').read_text()) for name in ('turns', 'theirs')]
    assert people[0] == people[1]
