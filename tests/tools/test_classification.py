"""Classification as a user runs it: draw shapes, train, test every cycle."""
import json
import re

CONFIG = 'configs/quick_start/sdpose-deit-mini_1xb64-30e_shapes-40x40.py'


def test_draw_train_and_test(run_tool, repo_root, tmp_path):
    drawn = run_tool('tools/dataset_tools/make_shapes.py', '--num-train', 16, '--num-val', 4, cwd=tmp_path, check=True)
    assert 'drawing shapes: 160 of 160' in drawn.stderr
    assert 'data/shapes: drawn; look at data/shapes/contact_sheet.png' in drawn.stdout
    options = ['train_cfg.max_epochs=3', 'train_cfg.val_interval=3', 'default_hooks.checkpoint.interval=3',
               'default_hooks.logger.interval=1', 'train_dataloader.batch_size=32',
               'train_dataloader.sampler.type=RepeatedAugmentationSampler']
    trained = run_tool('tools/train.py', repo_root / CONFIG, '--work-dir', 'run', '--cfg-options', *options,
                       cwd=tmp_path, check=True)
    log = trained.stdout + trained.stderr
    assert 'train data: 8 class folders with images in data/shapes/train/' in log
    assert 'images: 32 in 8 classes from data/shapes/val/' in log
    assert len(re.findall(r'Epoch\(train\).*loss_cls_cycle1: [\d.]+ .*loss_cls_cycle2: [\d.]+ .*loss_query', log)) == 12
    assert (tmp_path / 'run/best_accuracy_top1_epoch_3.pth').is_file()

    tested = run_tool('tools/test.py', repo_root / CONFIG, 'run/epoch_3.pth', '--work-dir', 'test', '--all-cycles',
                      '--dump', 'raw.pkl', cwd=tmp_path, check=True)
    record = json.loads(next(tmp_path.glob('test/*/metrics.json')).read_text())
    assert record['images'] == 'images: 32 in 8 classes from data/shapes/val/' and 'boxes' not in record
    validated = float(re.findall(r'accuracy/top1: ([\d.]+)', log)[-1])
    assert record['metrics']['cycle1/accuracy/top1'] == validated
    assert set(record['metrics']) == {f'cycle{c}/accuracy/top{k}' for c in (1, 2) for k in (1, 5)}
    assert (tmp_path / 'raw.cycle2.pkl').is_file()
    assert 'person boxes' not in log + tested.stdout + tested.stderr
    assert not re.search('warning|Traceback', log, re.IGNORECASE)
