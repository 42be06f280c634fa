"""From annotated pictures of one's own to a device, each step as a user runs it: a hundred drawn ones, nine joints."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from stick_people import write_split

_TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
_NINE = (0, 5, 6, 7, 8, 9, 10, 11, 12)  # COCO's numbers of nose, shoulders, elbows, wrists and hips
_NAMES = ['nose', *(f'{side}_{part}' for part in ('shoulder', 'elbow', 'wrist', 'hip') for side in ('left', 'right'))]


def _learn_17_joints(folder: Path, run_tool: Callable) -> None:
    """``known.pth``: the quick start's model after a short training on other drawn people, by COCO's 17 joints."""
    data = folder / 'data/synthetic_starter'
    for split, seed, count in (('train', 5, 60), ('val', 6, 2)):
        write_split(data, split, seed, count)
        (data / f'annotations/person_keypoints_{split}2017.json').rename(data / f'annotations/{split}.json')
        (data / f'{split}2017').rename(data / split)
    options = ['max_epochs=5', 'train_dataloader.batch_size=8', 'default_hooks.checkpoint.interval=5']
    run_tool(
        *('tools/train.py', _TINY, '--work-dir', 'known', '--no-validate', '--cfg-options', *options),
        cwd=folder,
        check=True,
    )
    (folder / 'known/epoch_5.pth').rename(folder / 'known.pth')


def _export_of_a_labelling_tool(folder: Path) -> list[dict]:
    """``photos/`` and ``photos.json``: nine joints, a few people without box or area; returns the annotations."""
    content = write_split(folder / 'drawn', 'train', 7, 100)
    (folder / 'drawn/train2017').rename(folder / 'photos')
    for ann in content['annotations']:
        joints = np.reshape(ann['keypoints'], (17, 3))[list(_NINE)]
        ann.update(keypoints=joints.ravel().tolist(), num_keypoints=9)
    for ann in content['annotations'][:6]:
        del ann['area']
    limbs = [[2, 3], [2, 4], [4, 6], [3, 5], [5, 7], [2, 8], [3, 9], [8, 9]]
    content['categories'] = [dict(id=1, name='climber', keypoints=_NAMES, skeleton=limbs)]
    (folder / 'photos.json').write_text(json.dumps(content))
    return content['annotations']


@pytest.mark.long
def test_from_photos_to_a_device(tmp_path: Path, run_tool: Callable) -> None:
    _learn_17_joints(tmp_path, run_tool)
    people = _export_of_a_labelling_tool(tmp_path)

    done = run_tool('tools/misc/new_dataset.py', 'photos.json', '--from', _TINY, cwd=tmp_path, check=True)
    config = 'photos-data/sdpose-tiny_photos.py'
    assert done.stdout.startswith('photos-data is written and checked.\n') and done.stderr == ''
    assert 'read: climber: 9 joints, 8 limbs' in done.stdout and '180 in 90 pictures to train on' in done.stdout
    assert f'tools/train.py {config} --cfg-options load_from=CHECKPOINT' in done.stdout

    options = ['load_from=known.pth', 'max_epochs=3', 'train_cfg.val_interval=3']
    done = run_tool('tools/train.py', config, '--cfg-options', *options, cwd=tmp_path, check=True)
    assert f'known.pth takes over 9 joints by name: {", ".join(_NAMES)}' in done.stdout + done.stderr
    run = tmp_path / 'work_dirs/sdpose-tiny_photos'
    best = run / 'best_coco_AP_epoch_3.pth'
    assert torch.load(best, weights_only=False)['state_dict']['neck.tokenizer.query'].shape[1] == 9

    run_tool('tools/test.py', config, best, '--work-dir', 'tested', cwd=tmp_path, check=True)
    metrics = json.loads(next(tmp_path.glob('tested/*/metrics.json')).read_text())['metrics']
    assert metrics['coco/AP'] > 0.5

    run_tool('tools/deploy/export.py', config, best, '--out', 'deployed', cwd=tmp_path, check=True)
    person = people[-1]
    x, y, width, height = person['bbox']
    picture = f'photos/{person["image_id"]:012d}.jpg'
    device = (
        f'{tmp_path}/deployed/pose_runtime.py',
        'deployed/',
        picture,
        '--boxes',
        f'{x},{y},{x + width},{y + height}',
    )
    done = run_tool(*device, cwd=tmp_path, env=dict(PYTHONPATH=''), check=True)
    found = json.loads(done.stdout)
    assert found['names'] == _NAMES and len(found['people']) == 1
    apart = np.array(found['people'][0]['joints'])[:, :2] - np.reshape(person['keypoints'], (9, 3))[:, :2]
    assert np.median(np.hypot(*apart.T)) < 10  # pixels, in a box of about 57 x 94
