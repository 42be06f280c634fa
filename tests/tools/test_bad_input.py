"""Everything a user can get wrong ends in one clear message, exit status 2 and no traceback."""

import json
import math
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import damaged_files
import pytest
import torch

from sdpose.apis import testing, training
from sdpose.errors import CheckpointError, ConfigError, DataError, MismatchError, UserError

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

_TRAIN = 'data/coco/annotations/person_keypoints_train2017.json'


def _edit(path: Path, change: Callable[[dict], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.fixture
def here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace as the current folder."""
    monkeypatch.chdir(workspace)
    return workspace


@pytest.mark.parametrize(
    'name', ['epoch_20.pth', 'best_coco_AP_epoch_20.pth', 'last_checkpoint', 'validations.json', 'tiny.py']
)
def test_a_folder_in_the_place_of_a_file_is_refused_before_the_training(here: Path, name: str) -> None:
    (here / 'run' / name).mkdir(parents=True)
    with pytest.raises(ConfigError, match=f'^run/{name} is a folder, and a file of that name is to be written: move'):
        training.train('tiny.py', work_dir='run')
    assert [path.name for path in (here / 'run').iterdir()] == [name]


def test_missing_config_suggests_a_similar_one(here: Path) -> None:
    with pytest.raises(UserError, match=r"No config 'sdpose-s-v1_stemnet.py'.*Similar: .*sdpose-s-v1_stemnet_8xb64"):
        training.train('sdpose-s-v1_stemnet.py')


def test_missing_annotation_file(here: Path) -> None:
    (here / _TRAIN).unlink()
    with pytest.raises(DataError, match=f'the annotation file {_TRAIN} is missing .below .*: put it there'):
        training.train('tiny.py')


def test_where_data_come_from_is_said_if_all_of_it_is_missing(here: Path) -> None:
    config = 'configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'
    with pytest.raises(DataError, match=r'is missing .below .*\. Draw them: python tools/dataset_tools/make_syn'):
        training.train(config)
    (here / 'data/synthetic_starter').mkdir()
    with pytest.raises(DataError, match=r'is missing .*in the config$'):
        training.train(config)


def test_joints_in_another_order_stop_a_run(here: Path) -> None:
    _edit(
        here / _TRAIN,
        lambda content: content.update(categories=[dict(id=1, name='person', keypoints=['left_eye', 'nose'])]),
    )
    with pytest.raises(DataError, match="its categories name 'left_eye' as joint 0"):
        training.train('tiny.py')


def test_missing_detections_name_the_place_and_the_way_around(here: Path) -> None:
    path = here / 'data/coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json'
    path.unlink()
    with pytest.raises(DataError, match=r'COCO_val2017_detections_AP_H_56_person.json are missing: .*--gt-bbox'):
        training.train('tiny.py')


def test_missing_images_are_named(here: Path) -> None:
    (here / 'data/coco/train2017/000000000101.jpg').unlink()
    with pytest.raises(DataError, match=r'1 images of .* are missing: data/coco/train2017/000000000101.jpg$'):
        training.train('tiny.py')


def test_wrong_number_of_keypoints_names_the_annotation(here: Path) -> None:
    _edit(here / _TRAIN, lambda content: content['annotations'][3].update(keypoints=[1, 2, 2] * 14))
    with pytest.raises(DataError, match=r'annotation id 1011 has 42 key point numbers, expected 51 \(17 joints'):
        training.train('tiny.py')


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(bbox=[10, 10, float('nan'), 20]), r'annotation id 1011 on image id 101: bbox must be 4 finite numbers'),
        (dict(keypoints=[None, 2, 2] * 17), r'annotation id 1011 on image id 101: key point number 0 .* is None'),
    ],
)
def test_damaged_numbers_name_the_annotation(here: Path, changes: dict, message: str) -> None:
    _edit(here / _TRAIN, lambda content: content['annotations'][3].update(changes))
    with pytest.raises(DataError, match=f'{_TRAIN}: {message}'):
        training.train('tiny.py')


def test_detections_with_a_broken_score_are_refused(here: Path) -> None:
    path = here / 'data/coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json'
    boxes = json.loads(path.read_text())
    boxes[2]['score'] = float('nan')
    path.write_text(json.dumps(boxes))
    with pytest.raises(DataError, match=r'person.json: detection 2 .*: score must be a finite number, is nan'):
        training.train('tiny.py')


def test_only_crowds_to_train_on(here: Path) -> None:
    _edit(here / _TRAIN, lambda content: [ann.update(iscrowd=1) for ann in content['annotations']])
    with pytest.raises(DataError, match=f'no usable person in {_TRAIN}: each of its 12 annotations is a crowd'):
        training.train('tiny.py')


def test_a_model_of_another_joint_count_than_the_data(here: Path) -> None:
    with pytest.raises(ConfigError, match=r'train data has 17 key points per person, but model.neck.num_queries is 14'):
        training.train('tiny.py', cfg_options={'model.neck.num_queries': 14})


def test_a_seed_that_is_no_number(here: Path) -> None:
    with pytest.raises(ConfigError, match='randomness.seed'):
        training.train('tiny.py', cfg_options={'randomness.seed': 'x'})


def test_a_decoder_of_another_size_than_the_data(here: Path) -> None:
    with pytest.raises(
        ConfigError,
        match=r'heatmap_size \(w, h\) is .* in GenerateTarget of the train data, but '
        r'\(24, 32\) in model.head.decoder: .* all of them follow codec',
    ):
        training.train('tiny.py', cfg_options={'model.head.decoder.heatmap_size': (24, 32)})
    (here / 'epoch_3.pth').touch()
    with pytest.raises(ConfigError, match=r'input_size \(w, h\) is .* in TopdownAffine of the test data, but '):
        testing.test('tiny.py', 'epoch_3.pth', cfg_options={'model.head.decoder.input_size': (96, 128)})


def test_missing_checkpoint_lists_its_neighbours(here: Path) -> None:
    (here / 'epoch_3.pth').touch()
    with pytest.raises(UserError, match=r'checkpoint ./epoch_4.pth does not exist; . holds epoch_3.pth'):
        testing.test('tiny.py', './epoch_4.pth')
    with pytest.raises(UserError, match='checkpoint gone.pth does not exist'):
        training.train('tiny.py', resume='gone.pth')


def test_unknown_key_of_a_part_names_the_closest(here: Path) -> None:
    with pytest.raises(UserError, match=r'model.neck.num_cycels: .*; did you mean model.neck.num_cycles\?'):
        training.train('tiny.py', cfg_options={'model.neck.num_cycels': 3})
    (here / 'misspelt.py').write_text("_base_ = './tiny.py'\nmodel = dict(neck=dict(num_cycels=3))\n")
    with pytest.raises(
        UserError,
        match=r"model.neck: MultiCycledTransformer has no argument 'num_cycels'; did you "
        r"mean 'num_cycles'\?",
    ):
        training.train('misspelt.py')


def test_refused_value_of_a_part(here: Path) -> None:
    with pytest.raises(UserError, match='test_cycles=3'):
        training.train('tiny.py', cfg_options={'model.neck.test_cycles': 3})


def test_unknown_part(here: Path) -> None:
    with pytest.raises(UserError, match='MultiCycleTransformer is not in the mmpose::model registry'):
        training.train('tiny.py', cfg_options={'model.neck.type': 'MultiCycleTransformer'})


def test_output_names(here: Path) -> None:
    (here / 'any.pth').touch()
    with pytest.raises(UserError, match='--out a.pkl: the result file must end in .json'):
        testing.test('tiny.py', 'any.pth', out='a.pkl')
    with pytest.raises(UserError, match='--dump a.json: raw predictions are a pickle'):
        testing.test('tiny.py', 'any.pth', dump='a.json')


def test_checkpoint_of_another_model_shows_keys_in_one_table(here: Path, trained: SimpleNamespace) -> None:
    path = str(trained.run / 'epoch_40.pth')
    options = {
        'model.head.decoder.heatmap_size': (24, 32),
        'model.neck.depth': 2,
        'model.backbone.num_blocks': 2,
        'model.neck.position': 'none',
    }
    options.pop('model.neck.position')
    with pytest.raises(MismatchError) as caught:
        testing.test('tiny.py', path, cfg_options=options)
    message = str(caught.value)
    assert f'{path} does not fit the model' in message
    assert 'unexpected' in message
    rows = [line.split() for line in message.splitlines()]
    weights = torch.load(path, weights_only=False)['state_dict']
    assert sum(row[:1] == ['missing'] for row in rows) > 10
    assert all(row[1] in weights for row in rows if row[:1] in (['shape'], ['unexpected']))
    assert '--allow-partial' in message.splitlines()[-1]


def test_partial_loading_is_possible_when_asked_for(here: Path, trained: SimpleNamespace) -> None:
    metrics = testing.test(
        'tiny.py', str(trained.run / 'epoch_40.pth'), allow_partial=True, cfg_options={'model.neck.depth': 2}
    )
    assert 'coco/AP' in metrics


def test_truncated_checkpoint(here: Path, trained: SimpleNamespace) -> None:
    (here / 'torn.pth').write_bytes((trained.run / 'epoch_40.pth').read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match='torn.pth'):
        testing.test('tiny.py', 'torn.pth')


def test_damaged_checkpoints(here: Path, trained: SimpleNamespace) -> None:
    """Every kind is told by the loader's own tests; these are led through a test and a training."""
    whole = trained.run / 'epoch_40.pth'
    for name in ('bit_of_a_tensor', 'epoch_text', 'weight_nan', 'pipe'):
        file = damaged_files.write(name, whole, here)
        with pytest.raises(UserError, match=f'{name}.pth'):
            testing.test('tiny.py', str(file))
        with pytest.raises(UserError, match=f'{name}.pth'):
            training.train('tiny.py', resume=str(file))


def test_the_best_checkpoint_is_no_training_to_resume(here: Path, trained: SimpleNamespace) -> None:
    best = next(trained.run.glob('best_*.pth'))
    with pytest.raises(
        UserError,
        match=f'{best} holds weights, not a training to resume .*no optimizer.*load_from='
        f'{best}, or resume from {trained.run}/epoch_40.pth$',
    ):
        training.train('tiny.py', resume=str(best))


class _Malicious:
    def __reduce__(self) -> tuple:
        return os.mkdir, ('pwned',)


def test_foreign_code_in_a_checkpoint_is_refused_and_not_run(here: Path) -> None:
    torch.save(dict(state_dict=dict(weight=torch.zeros(1)), extra=_Malicious()), here / 'evil.pth')
    (here / 'old.pth').write_bytes(pickle.dumps(dict(state_dict={}, extra=_Malicious())))
    for name in ('evil.pth', 'old.pth'):
        with pytest.raises(CheckpointError, match=name):
            testing.test('tiny.py', name)
    assert not (here / 'pwned').exists()


def test_boxes_of_zero_area_are_left_out_and_said_so(here: Path, run_tool: Callable) -> None:
    _edit(here / _TRAIN, lambda content: content['annotations'][2].update(bbox=[10, 10, 0, 20]))
    done = run_tool(
        'tools/train.py',
        'tiny.py',
        '--no-validate',
        '--cfg-options',
        'train_cfg.max_epochs=1',
        'train_dataloader.batch_size=1',
        cwd=here,
        check=True,
    )
    log = done.stdout + done.stderr
    assert '1 annotation(s) have a box of zero area (first: id 1010); they are left out' in log
    assert '[1][11/11]' in log


def test_a_detection_of_zero_area_is_predicted_and_said_so(here: Path, trained: SimpleNamespace) -> None:
    path = here / 'data/coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json'
    content = json.loads(path.read_text())
    content[0]['bbox'][2:] = [0, 0]
    path.write_text(json.dumps(content))
    metrics = testing.test('tiny.py', str(trained.run / 'epoch_40.pth'), out='out.json')
    assert 0 <= metrics['coco/AP'] <= 1
    values = [number for person in json.loads((here / 'out.json').read_text()) for number in person['keypoints']]
    assert all(math.isfinite(number) for number in values)


@pytest.mark.parametrize('workers', [0, 2])
def test_unreadable_image_is_named_without_a_traceback(here: Path, run_tool: Callable, workers: int) -> None:
    (here / 'data/coco/train2017/000000000103.jpg').write_bytes(b'not an image')
    done = run_tool(
        'tools/train.py',
        'tiny.py',
        '--no-validate',
        '--cfg-options',
        f'train_dataloader.num_workers={workers}',
        f'train_dataloader.persistent_workers={bool(workers)}',
        cwd=here,
    )
    assert done.returncode == 2
    assert 'Traceback' not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        'error: image data/coco/train2017/000000000103.jpg cannot be decoded (image id 103, annotation id 103'
    ), last


def test_a_tool_prints_one_line_and_ends_with_2(here: Path, run_tool: Callable) -> None:
    done = run_tool('tools/test.py', 'tiny.py', 'none.pth', cwd=here)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1] == 'error: checkpoint none.pth does not exist'
    assert 'Traceback' not in done.stderr


def test_annotations_for_an_evaluation_need_areas(here: Path, trained: SimpleNamespace) -> None:
    """Found before the evaluation, with annotated boxes as with a detector's."""
    _edit(
        here / 'data/coco/annotations/person_keypoints_val2017.json',
        lambda content: [ann.pop('area') for ann in content['annotations']],
    )
    for gt_bbox in (True, False):
        with pytest.raises(DataError, match='area'):
            testing.test('tiny.py', str(trained.run / 'epoch_40.pth'), gt_bbox=gt_bbox)
