"""The look at an MPII-style data set before a run starts."""

import json

import numpy as np
import pytest
from mmengine.config import Config
from scipy.io import savemat

from sdpose.errors import ConfigError, DataError
from sdpose.preflight import check_all
from sdpose.preflight.mpii import check_mpii


@pytest.fixture
def folder(tmp_path):
    (tmp_path / '1.jpg').touch()
    return tmp_path


def _person(**changes):
    return dict(
        dict(image='1.jpg', center=[3.0, 4], scale=0.5, joints=[[1, 2], [-1, -1]], joints_vis=[1, 0]), **changes
    )


def _write(folder, *people):
    (folder / 'a.json').write_text(json.dumps(people))
    return folder / 'a.json'


def _heads(folder, boxes):
    savemat(folder / 'h.mat', dict(headboxes_src=np.asarray(boxes, float)))
    return str(folder / 'h.mat')


def test_a_sound_data_set_passes(folder):
    boxes = np.array([[[1, 1], [1, 2]], [[4, 5], [6, 7]]])  # corner, axis, person
    check_mpii(_write(folder, _person(), _person()), folder, 2, _heads(folder, boxes))
    check_mpii(_write(folder, dict(image='1.jpg', center=[3, 4], scale=1)), folder, 2, labelled=False)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(image='x.jpg'), r"person 1 \(counted from 0\) has the image 'x.jpg', but MPII's names are numbers"),
        (dict(image='2.jpg'), r'1 images of .* are missing: .*2.jpg'),
        (dict(center=[1]), r'has the center \[1\], expected x and y'),
        (dict(center=[1, float('nan')]), r'has the center \[1, nan\]'),
        (dict(scale=0), 'has the scale 0, expected a number above 0'),
        (dict(scale='big'), "has the scale 'big'"),
        (dict(joints=[[1, 2]]), 'has joints that are not 2 x 2 finite numbers'),
        (dict(joints=[[1, 2], [3]]), 'has joints that are not 2 x 2'),
        (dict(joints_vis=[1, None]), 'has joints_vis that are not 2 finite numbers'),
        (dict(joints_vis=[2, 0]), r'has the joints_vis \[2, 0\], but they weigh the loss and must be 0 or 1'),
        (dict(joints_vis=[-1, 1]), r'has the joints_vis \[-1, 1\]'),
    ],
)
def test_bad_entries_are_named(folder, changes, message):
    with pytest.raises(DataError, match=message):
        check_mpii(_write(folder, _person(), _person(**changes)), folder, 2)


def test_missing_keys_and_bad_files(folder):
    unlabelled = dict(image='1.jpg', center=[3, 4], scale=1)
    with pytest.raises(DataError, match='person 0 .* has no joints and no joints_vis'):
        check_mpii(_write(folder, unlabelled), folder, 2)
    with pytest.raises(DataError, match='must be a JSON list of people'):
        check_mpii(_write(folder), folder, 2)
    (folder / 'a.json').write_text('[{')
    with pytest.raises(DataError, match='is not valid JSON'):
        check_mpii(folder / 'a.json', folder, 2)
    with pytest.raises(DataError, match='annotation file .*absent.json is missing'):
        check_mpii(folder / 'absent.json', folder, 2)


def test_head_boxes_that_do_not_fit(folder):
    file, sound = _write(folder, _person()), [[[1], [1]], [[4], [5]]]
    with pytest.raises(DataError, match='head boxes .*none.mat are missing'):
        check_mpii(file, folder, 2, str(folder / 'none.mat'))
    (folder / 'bad.mat').write_bytes(b'MATLAB?')
    with pytest.raises(DataError, match='bad.mat is not a MATLAB file'):
        check_mpii(file, folder, 2, str(folder / 'bad.mat'))
    for boxes, message in (
        (np.zeros((2, 2, 3)), '3 head boxes, but .* has 1 people'),
        (np.zeros((2, 3, 1)), 'no headboxes_src of shape 2 x 2 x people'),
        (np.zeros((2, 2, 1)), 'a head box without extent'),
        (np.array(sound) * np.nan, 'a head box without extent or with a value that is no number'),
    ):
        with pytest.raises(DataError, match=message):
            check_mpii(file, folder, 2, _heads(folder, boxes))
    check_mpii(file, folder, 2, _heads(folder, sound))


def test_people_without_a_labelled_joint(folder):
    nobody = _person(joints_vis=[0, 0])
    check_mpii(_write(folder, _person(), nobody), folder, 2)
    with pytest.raises(DataError, match='a.json: no joint of its 2 people is labelled'):
        check_mpii(_write(folder, nobody, nobody), folder, 2)


def test_pckh_asks_for_head_boxes(folder):
    """Before the run, not after its first epoch; a metric that reads none may do without."""
    _write(folder, _person(joints=[[1, 2]] * 16, joints_vis=[1] * 16))
    dataset = dict(type='MpiiDataset', data_root=str(folder), ann_file='a.json', data_prefix=dict(img=''))

    def config(**metric):
        return Config(dict(val_dataloader=dict(dataset=dataset), val_evaluator=dict(metric)))

    for metric in (dict(type='MpiiMetric'), dict(type='MpiiPCKAccuracy', norm_item=['bbox', 'head'])):
        with pytest.raises(ConfigError, match='set val_dataloader.dataset.headbox_file'):
            check_all(config(**metric), ('val',))
    for metric in (dict(type='PCKAccuracy'), dict(type='MpiiMetric', format_only=True, outfile_prefix='x')):
        check_all(config(**metric), ('val',))
