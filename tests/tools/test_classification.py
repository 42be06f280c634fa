"""Classification as a user runs it: draw shapes, train, test every cycle."""

import json
import os
import re
import subprocess
import sys

import pytest

CONFIG = 'configs/quick_start/sdpose-deit-mini_1xb64-30e_shapes-40x40.py'


@pytest.mark.long
def test_draw_train_and_test(run_tool, repo_root, tmp_path):
    drawn = run_tool('tools/dataset_tools/make_shapes.py', '--num-train', 16, '--num-val', 4, cwd=tmp_path, check=True)
    assert 'drawing shapes: 160 of 160' in drawn.stderr
    assert 'data/shapes: drawn; look at data/shapes/contact_sheet.png' in drawn.stdout
    options = [
        'train_cfg.max_epochs=3',
        'train_cfg.val_interval=3',
        'default_hooks.checkpoint.interval=3',
        'default_hooks.logger.interval=1',
        'train_dataloader.batch_size=32',
        'train_dataloader.sampler.type=RepeatedAugmentationSampler',
    ]
    trained = run_tool(
        'tools/train.py', repo_root / CONFIG, '--work-dir', 'run', '--cfg-options', *options, cwd=tmp_path, check=True
    )
    log = trained.stdout + trained.stderr
    assert 'train data: 8 class folders with images in data/shapes/train/' in log
    assert 'images: 32 in 8 classes from data/shapes/val/' in log
    assert len(re.findall(r'Epoch\(train\).*loss_cls_cycle1: [\d.]+ .*loss_cls_cycle2: [\d.]+ .*loss_query', log)) == 12
    assert (tmp_path / 'run/best_accuracy_top1_epoch_3.pth').is_file()

    tested = run_tool(
        'tools/test.py',
        repo_root / CONFIG,
        'run/epoch_3.pth',
        '--work-dir',
        'test',
        '--all-cycles',
        '--dump',
        'raw.pkl',
        cwd=tmp_path,
        check=True,
    )
    record = json.loads(next(tmp_path.glob('test/*/metrics.json')).read_text())
    assert record['images'] == 'images: 32 in 8 classes from data/shapes/val/' and 'boxes' not in record
    validated = float(re.findall(r'accuracy/top1: ([\d.]+)', log)[-1])
    assert record['metrics']['cycle1/accuracy/top1'] == validated
    assert set(record['metrics']) == {f'cycle{c}/accuracy/top{k}' for c in (1, 2) for k in (1, 5)}
    assert (tmp_path / 'raw.cycle2.pkl').is_file()
    run_tool(
        'tools/test.py', repo_root / CONFIG, 'run/epoch_3.pth', '--work-dir', 'one', '--report', 'page', cwd=tmp_path,
        check=True,
    )  # fmt: skip
    report = json.loads((tmp_path / 'page/report.json').read_text())
    assert (
        100 * report['top']['1'] == pytest.approx(validated)
        and 'Surest mistakes' in (tmp_path / 'page/index.html').read_text()
    )
    assert 'person boxes' not in log + tested.stdout + tested.stderr
    log = re.sub(r'.*the schedule of the learning rate .*', '', log)  # it is cut short here, and said so
    assert not re.search('warning|Traceback', log, re.IGNORECASE)


@pytest.mark.long
def test_two_processes_train_and_measure_what_one_measures(run_tool, repo_root, tool_env, tmp_path):
    run_tool('tools/dataset_tools/make_shapes.py', '--num-train', 16, '--num-val', 4, cwd=tmp_path, check=True)
    next(tmp_path.glob('data/shapes/val/*/*')).unlink()  # 31 images: one process gets one more than the other
    clean = {key: value for key, value in os.environ.items() if key not in ('PORT', 'NNODES', 'NODE_RANK')}

    def launch(script, processes, *arguments):
        command = ['bash', str(repo_root / 'tools' / script), str(repo_root / CONFIG), *arguments]
        done = subprocess.run(
            [str(word) for word in command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            env={**clean, **tool_env, 'PYTHON': sys.executable},
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert 'over gloo' in done.stdout + done.stderr
        return done.stdout + done.stderr

    log = launch(
        'dist_train.sh',
        2,
        2,
        '--work-dir',
        'run',
        '--cfg-options',
        'train_cfg.max_epochs=2',
        'train_cfg.val_interval=2',
        'default_hooks.checkpoint.interval=2',
        'train_dataloader.batch_size=16',
        'default_hooks.logger.interval=1',
    )
    # 128 images in two processes of 16: four steps an epoch.
    assert len(re.findall(r'Epoch\(train\) +\[\d\]\[\d/4\]', log)) == 8
    figures = []
    for processes in (1, 2):
        folder = f'test{processes}'
        launch(
            'dist_test.sh',
            processes,
            'run/epoch_2.pth',
            processes,
            '--work-dir',
            folder,
            '--dump',
            f'{folder}.pkl',
            '--cfg-options',
            'test_dataloader.batch_size=4',
        )
        figures.append(json.loads(next(tmp_path.glob(f'{folder}/*/metrics.json')).read_text())['metrics'])
    assert figures[0] == pytest.approx(figures[1], abs=1e-4)
    assert figures[0]['accuracy/top1'] == pytest.approx(round(figures[0]['accuracy/top1'] * 0.31) / 0.31, abs=1e-3)
