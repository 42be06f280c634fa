"""--overfit: the first few people are trained on, evaluated, and learned."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sdpose.apis.overfit import overfit
from sdpose.config.options import prepare
from sdpose.errors import ConfigError

_TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


@pytest.mark.long
def test_a_few_people_are_learned(repo_root: Path, tmp_path: Path, run_tool: Callable) -> None:
    drawn = tmp_path / 'drawn'
    draw = ['--out', drawn, '--level', 'starter', '--num-train', 20, '--num-val', 2, '--size', '320x240']
    run_tool('tools/dataset_tools/make_synthetic.py', *draw, cwd=tmp_path, check=True)
    options = ['--overfit', 12, '--cfg-options', f'data_root={drawn}/']
    done = run_tool('tools/train.py', _TINY, *options, cwd=tmp_path, check=True)
    said = re.search(
        r'--overfit: coco/AP is ([\d.]+) after (\d+) steps: the people are learned', done.stdout + done.stderr
    )
    assert said is not None and float(said[1]) > 0.8 and int(said[2]) < 600
    folder = tmp_path / f'work_dirs/{_TINY}-overfit'
    content = json.loads((folder / 'overfit.json').read_text())
    every = json.loads((drawn / 'annotations/train.json').read_text())
    assert len(content['annotations']) == 12 and content['categories'] == every['categories']
    assert {each['image_id'] for each in content['annotations']} == {each['id'] for each in content['images']}


def test_a_training_is_turned_into_one_on_its_first_people(stick_people: Path, tmp_path: Path) -> None:
    options = {
        'data_root': f'{stick_people}/coco/',
        'train_dataloader.dataset.ann_file': 'annotations/person_keypoints_train2017.json',
    }
    options['train_dataloader.dataset.data_prefix.img'] = 'train2017/'
    cfg = prepare(_TINY, work_dir=str(tmp_path), cfg_options=options)
    overfit(cfg, 3)
    steps = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert steps == ['LoadCheckedImage', 'GetBBoxCenterScale', 'WindowedAffine', 'DeferredTarget', 'PackTrainingInputs']
    assert cfg.train_dataloader.batch_size == cfg.train_dataloader.dataset.indices == 3
    assert cfg.train_cfg.max_epochs == 600 and not cfg.model.test_cfg.flip_test
    assert cfg.val_dataloader.dataset.ann_file == cfg.val_evaluator.ann_file == str(tmp_path / 'overfit.json')
    assert len(json.loads((tmp_path / 'overfit.json').read_text())['annotations']) == 3


def test_weaker_augmentation_in_the_last_epochs_goes_with_the_augmentation(stick_people: Path, tmp_path: Path) -> None:
    options = {
        'data_root': f'{stick_people}/coco/',
        'train_dataloader.dataset.ann_file': 'annotations/person_keypoints_train2017.json',
    }
    options['train_dataloader.dataset.data_prefix.img'] = 'train2017/'
    augmented = _TINY.replace('sdpose-', 'sdpose-augmented-')
    cfg = prepare(augmented, work_dir=str(tmp_path), cfg_options=options)
    cfg.custom_hooks.append(dict(type='RandomCyclesHook'))
    assert cfg.custom_hooks[0].type == 'LastEpochsHook'
    overfit(cfg, 3)
    assert [hook.type for hook in cfg.custom_hooks] == ['RandomCyclesHook', 'EarlyStoppingHook']


@pytest.mark.parametrize(
    'config, count, options, message',
    [
        (_TINY, 0, {}, '--overfit 0: give a number of people from 1'),
        ('sdpose-deit-mini_1xb64-30e_shapes-40x40', 3, {}, 'one training data set of poses'),
        (_TINY, 3, {'default_hooks.checkpoint.save_best': None}, 'default_hooks.checkpoint.save_best'),
    ],
)
def test_what_cannot_be_learned_so_is_refused(config: str, count: int, options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        overfit(prepare(config, cfg_options=options), count)
