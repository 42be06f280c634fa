"""The joints of a data set: read, checked, and the same everywhere."""

import copy
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from sdpose.errors import ConfigError
from sdpose.preflight.metainfo import check_metainfo, load_metainfo


@pytest.fixture
def example(repo_root: Path) -> dict:
    """The metainfo that users copy."""
    init_default_scope('mmpose')
    return Config.fromfile(repo_root / 'configs/_base_/datasets/custom_metainfo.py').dataset_info.to_dict()


def test_the_example_is_sound_and_gives_pairs_and_sigmas(example: dict) -> None:
    metainfo = load_metainfo(dict(type='CocoDataset', metainfo=example))
    assert metainfo['num_keypoints'] == 9
    assert metainfo['flip_indices'] == [0, 2, 1, 4, 3, 6, 5, 8, 7]
    assert metainfo['upper_body_ids'] == [0, 1, 2, 3, 4, 5, 6] and metainfo['lower_body_ids'] == [7, 8]
    coco = load_metainfo(dict(type='CocoDataset'))
    taken = [coco['keypoint_name2id'][name] for name in metainfo['keypoint_name2id']]
    np.testing.assert_array_equal(metainfo['sigmas'], coco['sigmas'][taken])


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda info: info.pop('sigmas'), 'own.py has no sigmas; see configs/_base_/datasets/custom_metainfo.py'),
        (lambda info: info['sigmas'].pop(), 'own.py: sigmas has 8 numbers for 9 joints: give one per joint'),
        (lambda info: info['sigmas'].__setitem__(2, 0.0), r'sigmas: number 2 .* must be finite and positive'),
        (lambda info: info['sigmas'].__setitem__(2, float('nan')), 'sigmas: number 2 .* must be finite'),
        (lambda info: info['joint_weights'].append(1.0), 'own.py: joint_weights has 10 numbers for 9 joints'),
        (
            lambda info: info['keypoint_info'][1].update(swap='rigth_shoulder'),
            "joint 'left_shoulder': swap 'rigth_shoulder' is no joint of keypoint_info; did you mean 'right_shoulder'",
        ),
        (
            lambda info: info['keypoint_info'][2].update(swap=''),
            "joint 'left_shoulder': swap is 'right_shoulder', but the swap of 'right_shoulder' is 'right_shoulder'",
        ),
        (
            lambda info: info['keypoint_info'][2].update(name='left_shoulder'),
            "two joints .* are called 'left_shoulder'",
        ),
        (lambda info: info['keypoint_info'][2].pop('name'), 'joint 2 of keypoint_info has no name'),
        (
            lambda info: info['keypoint_info'][0].update(type='uper'),
            "joint 'nose': type must be upper or lower .*'uper'",
        ),
        (lambda info: info['keypoint_info'][0].update(type='Lower'), "joint 'nose': type must be upper or lower"),
        (lambda info: info['keypoint_info'][0].update(type=1), "joint 'nose': type must be upper or lower .*is 1"),
        (lambda info: info['keypoint_info'][0].update(swap=None), "joint 'nose': swap is None: .*leave it out"),
        (lambda info: info['keypoint_info'].pop(4), 'keys of keypoint_info must be 0, 1, 2 ... in this order'),
        (
            lambda info: info['skeleton_info'][0].update(link=('neck', 'nose')),
            r"skeleton_info 0: link 'neck' is no joint of keypoint_info",
        ),
        (lambda info: info['skeleton_info'][0].update(link=('nose',)), 'skeleton_info 0 must link two joints'),
    ],
)
def test_contradictions(example: dict, change, message: str) -> None:
    broken = copy.deepcopy(example)
    change(broken)
    with pytest.raises(ConfigError, match=message):
        check_metainfo(broken, 'own.py')
    check_metainfo(example, 'own.py')


@pytest.mark.parametrize('half', ['', None, 'face', 'left hand'])
def test_a_joint_may_be_in_neither_half_of_the_body(example: dict, half: str | None) -> None:
    example['keypoint_info'][0].update(type=half)
    assert 0 not in load_metainfo(dict(type='CocoDataset', metainfo=example))['upper_body_ids']


def test_a_class_may_choose_its_metainfo_by_an_argument() -> None:
    init_default_scope('mmpose')
    for subset, joints in (('full', 8), ('upper', 6), ('lower', 4)):
        assert load_metainfo(dict(type='DeepFashionDataset', subset=subset))['num_keypoints'] == joints
    with pytest.raises(ConfigError, match='BaseCocoStyleDataset has no key points'):
        load_metainfo(dict(type='BaseCocoStyleDataset'))


@pytest.mark.parametrize('kind', ['CocoDatset', 'RepeatDataset'])
def test_a_metainfo_needs_a_data_set_that_reads_it(example: dict, kind: str) -> None:
    with pytest.raises(ConfigError, match=f'{kind} has a metainfo, but is no registered data set that reads one'):
        load_metainfo(dict(type=kind, metainfo=example))


def test_files_are_found_or_missed(example: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'own.py').write_text(f'dataset_info = {example!r}\n')
    dataset = dict(type='CocoDataset', metainfo=dict(from_file='own.py'))
    assert load_metainfo(dataset)['num_keypoints'] == 9
    # MMPose would take its own file of the same name, with other joints, for one of the user's that is missing.
    for name in ('gone.py', 'mine/coco.py', 'configs/_base_/datasets/gone.py'):
        with pytest.raises(ConfigError, match=f'the metainfo file {name} is missing .looked for in {tmp_path}.: '):
            load_metainfo(dict(dataset, metainfo=dict(from_file=name)))
    (tmp_path / 'own.py').write_text('dataset = 1\n')
    with pytest.raises(ConfigError, match='own.py defines no dataset_info'):
        load_metainfo(dataset)
    (tmp_path / 'own.py').write_text('dataset_info = dict(\n')
    with pytest.raises(ConfigError, match='own.py cannot be read: SyntaxError'):
        load_metainfo(dataset)


def test_stock_files_of_mmpose_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some have no sigmas, or too few weights."""
    init_default_scope('mmpose')
    monkeypatch.chdir(tmp_path)
    for name, joints in (('crowdpose', 14), ('onehand10k', 21), ('coco_aic', 19)):
        dataset = dict(type='CocoDataset', metainfo=dict(from_file=f'configs/_base_/datasets/{name}.py'))
        assert load_metainfo(dataset)['num_keypoints'] == joints
