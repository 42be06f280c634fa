"""The generator and the quick start's steps, run as a user runs them."""

import json

import cv2
import pytest

TOOL = 'tools/dataset_tools/make_synthetic.py'
CONFIG = 'configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'


@pytest.fixture(scope='module')
def drawn(tmp_path_factory, run_tool):
    out = tmp_path_factory.mktemp('tool') / 'set'
    arguments = [
        '--out',
        out,
        '--num-train',
        24,
        '--num-val',
        8,
        '--seed',
        3,
        '--level',
        'starter',
        '--size',
        '160x120',
        '--workers',
        2,
    ]
    return out, arguments, run_tool(TOOL, *arguments, check=True)


def test_it_draws_shows_progress_and_says_where_to_look(drawn):
    out, _, done = drawn
    assert 'drawing people: 32 of 32' in done.stderr
    assert f'{out}: drawn; look at {out}/contact_sheet.png' in done.stdout
    assert cv2.imread(str(out / 'contact_sheet.png')).shape[1] == 1920


def test_a_second_run_is_a_no_op_that_says_so(drawn, run_tool):
    out, arguments, _ = drawn
    assert 'already there' in run_tool(TOOL, *arguments, check=True).stdout


@pytest.mark.parametrize(
    'change, message',
    [(['--workers', '0'], 'error: --workers 0: give at least 1'), (['--seed', '4'], 'seed is 3, asked for 4')],
)
def test_mistakes_are_one_line(drawn, run_tool, change, message):
    done = run_tool(TOOL, *drawn[1], *change)
    assert done.returncode == 2 and done.stderr.count('\n') == 1
    assert message in done.stderr


@pytest.mark.long
def test_train_test_and_draw_as_the_quick_start_does(drawn, run_tool, repo_root, tmp_path):
    data = f'{drawn[0]}/'
    options = [
        '--cfg-options',
        *(f'{split}_dataloader.dataset.data_root={data}' for split in ('train', 'val', 'test')),
        *(f'{split}_evaluator.ann_file={data}annotations/val.json' for split in ('val', 'test')),
        'train_cfg.max_epochs=2',
        'train_cfg.val_interval=2',
        'default_hooks.checkpoint.interval=2',
        'default_hooks.logger.interval=1',
    ]
    trained = run_tool('tools/train.py', CONFIG, '--work-dir', tmp_path, *options, check=True)
    assert 'loss_kpt_cycle2' in trained.stdout + trained.stderr
    checkpoint = (tmp_path / 'last_checkpoint').read_text()
    tested = run_tool(
        'tools/test.py',
        CONFIG,
        checkpoint,
        '--work-dir',
        tmp_path / 'test',
        '--out',
        tmp_path / 'results.json',
        *options[:6],
        check=True,
    )
    assert 'coco/AP: ' in tested.stdout + tested.stderr
    people = [
        p for p in json.loads((drawn[0] / 'annotations' / 'val.json').read_text())['annotations'] if p['num_keypoints']
    ]
    assert len(json.loads((tmp_path / 'results.json').read_text())) == len(people)
    run_tool(
        'tools/misc/draw_predictions.py',
        CONFIG,
        tmp_path / 'results.json',
        tmp_path / 'predictions.png',
        '--least-score',
        0,
        *options[:6],
        check=True,
    )
    assert cv2.imread(str(tmp_path / 'predictions.png')).shape[1] > 1900
