"""Nothing that a data set class reads is refused for its form."""

import json
from pathlib import Path
from typing import Any

import pytest
from data_set_forms import FORMS, Form, coco, wholebody
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from sdpose.errors import ConfigError, DataError
from sdpose.preflight import datasets
from sdpose.preflight.datasets import check_datasets
from sdpose.preflight.metainfo import load_metainfo

# Reads 3D joints.
THREE_D = {'InterHand3DDataset'}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the checks log."""
    init_default_scope('mmpose')
    lines: list[str] = []
    monkeypatch.setattr(datasets, 'print_log', lambda line, *_: lines.append(line))
    return lines


def config(split: str, dataset: dict[str, Any], **more: Any) -> Config:
    return Config({f'{split}_dataloader': dict(dataset=dataset), **more})


@pytest.mark.parametrize('split', ['train', 'test'])
@pytest.mark.parametrize(
    'kind, form, more', FORMS, ids=['-'.join([kind, form.__name__, *more.values()]) for kind, form, more in FORMS]
)
def test_a_data_set_passes_in_the_form_of_its_class(
    kind: str, form: Form, more: dict[str, Any], split: str, tmp_path: Path, said: list[str]
) -> None:
    joints = load_metainfo(dict(type=kind, **more))['num_keypoints']
    dataset = dict(type=kind, data_root=str(tmp_path), test_mode=split == 'test', **form(tmp_path, joints), **more)
    neck = dict(neck=dict(num_queries=joints))
    check_datasets(config(split, dataset, model=neck), (split,))
    assert len(said) == 1 and f'{split} data: {tmp_path}/ann.json and its images are there' in said[0]
    with pytest.raises(ConfigError, match=f'{split} data has {joints} key points per person'):
        check_datasets(config(split, dataset, model=dict(neck=dict(num_queries=joints + 1))), (split,))


def test_every_class_of_mmpose_has_a_form() -> None:
    # Some are no part of the package's public list.
    classes = {name for name, kind in DATASETS.module_dict.items() if _is_of_mmpose(kind)} - THREE_D
    assert len(classes) >= 36
    assert classes <= {kind for kind, _, _ in FORMS}


def _is_of_mmpose(kind: type) -> bool:
    own = kind.__module__.startswith('mmpose.') and kind is not BaseCocoStyleDataset
    return own and issubclass(kind, BaseCocoStyleDataset)


@DATASETS.register_module()
class _OwnDataset(BaseCocoStyleDataset):
    """A class of a user's, with a form of its own: one line per person, x and y of two joints."""

    METAINFO = dict(
        dataset_name='own',
        keypoint_info={0: dict(name='a', type='', swap=''), 1: dict(name='b', type='', swap='')},
        skeleton_info={},
        joint_weights=[1.0, 1.0],
        sigmas=[],
    )

    def _load_annotations(self) -> tuple[list, list]:
        import numpy as np

        people = []
        for number, line in enumerate(Path(self.ann_file).read_text().splitlines()):
            joints = np.array([float(word) for word in line.split()], np.float32).reshape(1, -1, 2)
            people.append(
                dict(
                    id=number,
                    img_id=1,
                    img_path=str(Path(self.data_prefix['img']) / '000001.jpg'),
                    bbox=np.array([[30, 20, 80, 100]], np.float32),
                    keypoints=joints,
                    keypoints_visible=np.ones(joints.shape[:2], np.float32),
                )
            )
        return people, []


def test_a_class_of_ones_own_is_asked_and_its_words_are_one_line(tmp_path: Path, said: list[str]) -> None:
    coco(tmp_path, 2)
    dataset = dict(type='_OwnDataset', data_root=str(tmp_path), ann_file='a.txt', data_prefix=dict(img='images'))

    def check(text: str) -> None:
        (tmp_path / 'a.txt').write_text(text)
        check_datasets(config('train', dataset), ('train',))

    check('40 30 50 60\n41 31 51 61\n')
    assert len(said) == 1
    with pytest.raises(
        DataError,
        match=r'^.*/a.txt cannot be read by _OwnDataset, the class of train_dataloader.dataset: could not .*x.: ',
    ):
        check('40 x 50 60\n')
    with pytest.raises(DataError, match='a.txt: annotation id 1 .* _OwnDataset reads 3 joints, but the metainfo has 2'):
        check('40 30 50 60\n1 2 3 4 5 6\n')
    with pytest.raises(DataError, match='a.txt: annotation id 0 .* reads keypoints that are no finite numbers'):
        check('40 nan 50 60\n')
    with pytest.raises(DataError, match='no usable person in .*a.txt: _OwnDataset leaves out every entry'):
        check('')
    (tmp_path / 'images/000001.jpg').unlink()
    with pytest.raises(DataError, match='1 images of .*a.txt are missing'):
        check('40 30 50 60\n')


@DATASETS.register_module()
class _FewArguments(_OwnDataset):
    """The same with a constructor that takes little."""

    def __init__(self, data_root: str, pipeline: Any = ()) -> None:
        super().__init__(ann_file='a.txt', data_root=data_root, data_prefix=dict(img='images'), pipeline=list(pipeline))


def test_a_class_with_few_arguments(tmp_path: Path, said: list[str]) -> None:
    coco(tmp_path, 2)
    (tmp_path / 'a.txt').write_text('40 30 50 60\n')
    dataset = dict(type='_FewArguments', data_root=str(tmp_path), ann_file='a.txt')
    with pytest.raises(ConfigError, match="_FewArguments cannot be built: .*unexpected keyword argument 'ann_file'"):
        check_datasets(config('train', dataset), ('train',))
    del dataset['ann_file']
    check_datasets(config('train', dataset), ('train',))
    assert len(said) == 1


def test_what_a_class_lacks_is_said_in_one_line(tmp_path: Path, said: list[str]) -> None:
    form = wholebody(tmp_path, 133)
    file = tmp_path / 'ann.json'
    content = json.loads(file.read_text())
    del content['annotations'][1]['foot_kpts']
    file.write_text(json.dumps(content))
    dataset = dict(type='CocoWholeBodyDataset', data_root=str(tmp_path), **form)
    with pytest.raises(
        DataError, match="ann.json cannot be read by CocoWholeBodyDataset, .*an entry has no 'foot_kpts'"
    ):
        check_datasets(config('val', dataset), ('val',))
    dataset['type'] = 'DeepFashionDataset'
    with pytest.raises(
        ConfigError, match='^(val_dataloader.dataset:|the data set) DeepFashionDataset cannot be built: .*subset: half'
    ):
        check_datasets(config('val', dict(dataset, subset='half')), ('val',))


KEEP_TWO = dict(type='KeypointConverter', num_keypoints=2, mapping=[(0, 0), (1, 1)])
TWO = dict(_OwnDataset.METAINFO)


def test_joints_are_counted_as_the_model_gets_them(tmp_path: Path, said: list[str]) -> None:
    form = coco(tmp_path, 17)
    part = dict(type='CocoDataset', data_root=str(tmp_path), pipeline=[KEEP_TWO], **form)
    plain = {**part, 'pipeline': []}
    two, neck = dict(type='CombinedDataset', metainfo=TWO), dict(neck=dict(num_queries=2))
    for dataset in (
        part,
        dict(two, datasets=[part, part]),
        dict(type='RepeatDataset', times=2, dataset=part),
        dict(type='ConcatDataset', datasets=[dict(two, datasets=[part])]),
        dict(type='CombinedDataset', datasets=[plain], metainfo=dict(from_file='configs/_base_/datasets/coco.py'),
             pipeline=[KEEP_TWO]),
    ):  # fmt: skip
        check_datasets(config('train', dataset, model=neck), ('train',))
    with pytest.raises(ConfigError, match='a part of the train data, ann.json, has 17 key points .* whole .* has 2'):
        check_datasets(config('train', dict(two, datasets=[part, plain]), model=neck), ('train',))
    with pytest.raises(ConfigError, match='train data has 2 key points per person, but model.neck.num_queries is 17'):
        check_datasets(config('train', part, model=dict(neck=dict(num_queries=17))), ('train',))
