"""CrowdPose from drawing to evaluation, run as a user runs it, at the smallest scale."""

import json

import pytest

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

_QUICK = 'configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-crowdpose-64x48.py'
_FULL = 'configs/sdpose/crowdpose/sdpose-s-v1_stemnet_8xb64-300e_crowdpose-256x192.py'


@pytest.fixture(scope='module')
def drawn(tmp_path_factory, run_tool):
    folder = tmp_path_factory.mktemp('crowdpose')
    run_tool(
        'tools/dataset_tools/make_synthetic.py',
        '--style',
        'crowdpose',
        '--num-train',
        24,
        '--num-val',
        8,
        '--size',
        '160x120',
        '--workers',
        2,
        cwd=folder,
        check=True,
    )
    return folder / 'data/synthetic_crowdpose'


def test_train_and_test_with_detected_and_annotated_boxes(drawn, run_tool, repo_root, tmp_path):
    options = [
        '--cfg-options',
        f'data_root={drawn}/',
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
        'default_hooks.checkpoint.interval=1',
        'val_dataloader.num_workers=0',
        'test_dataloader.num_workers=0',
    ]
    done = run_tool('tools/train.py', _QUICK, '--work-dir', tmp_path / 'w', *options, check=True)
    log = done.stdout + done.stderr
    assert 'crowdpose/AP(H): ' in log and list((tmp_path / 'w').glob('best_crowdpose_AP_epoch_1.pth'))
    found = len(json.loads((drawn / 'annotations/det_for_crowd_test_0.1_0.5.json').read_text()))
    assert f'person boxes: {found} detections from {drawn}/annotations/det_for_crowd_test_0.1_0.5.json' in log
    assert 'UserWarning' not in log

    done = run_tool(
        'tools/test.py',
        _QUICK,
        tmp_path / 'w/epoch_1.pth',
        '--work-dir',
        tmp_path / 't',
        '--gt-bbox',
        '--out',
        tmp_path / 'results.json',
        *options[:2],
        check=True,
    )
    people = json.loads((drawn / 'annotations/mmpose_crowdpose_test.json').read_text())['annotations']
    labelled = [person for person in people if person['num_keypoints']]
    record = json.loads(next((tmp_path / 't').glob('*/metrics.json')).read_text())
    assert record['boxes'].startswith(f'person boxes: {len(labelled)} ground-truth boxes')
    assert {'crowdpose/AP', 'crowdpose/AP(E)', 'crowdpose/AP(M)', 'crowdpose/AP(H)'} <= record['metrics'].keys()
    results = json.loads((tmp_path / 'results.json').read_text())
    assert len(results) == len(labelled) and all(len(result['keypoints']) == 42 for result in results)


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda content: content['images'][0].pop('crowdIndex'), 'image id 1000001 has no crowdIndex'),
        (
            lambda content: content['annotations'][0]['keypoints'].extend([0] * 9),
            'has 51 key point numbers, expected 42',
        ),
    ],
)
def test_wrong_annotations_are_one_line(drawn, run_tool, tmp_path, spoil, message):
    (tmp_path / 'set/annotations').mkdir(parents=True)
    (tmp_path / 'set/images').symlink_to(drawn / 'images')
    for file in (drawn / 'annotations').iterdir():
        content = json.loads(file.read_text())
        if file.name == 'mmpose_crowdpose_test.json':
            spoil(content)
        (tmp_path / 'set/annotations' / file.name).write_text(json.dumps(content))
    done = run_tool(
        'tools/train.py', _FULL, '--work-dir', tmp_path / 'w', '--cfg-options', f'data_root={tmp_path}/set/'
    )
    assert done.returncode == 2 and message in done.stderr and 'Traceback' not in done.stderr
