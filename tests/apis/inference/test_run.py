"""A run: tracking, files that agree with each other, windows, videos; and the detectors."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from stick_people import CONFIG, write_coco

import sdpose
from sdpose.apis.inference import PoseInferencer, PoseResult
from sdpose.apis.inference.detectors import build_detector
from sdpose.apis.inference.outputs import OverlayVideo
from sdpose.apis.inference.run import RunOptions, run
from sdpose.apis.inference.tracking import Tracker
from sdpose.errors import UserError
from sdpose.io.checkpoint import write_checkpoint

BOXES = np.float32([[8, 6, 66, 100], [90, 8, 145, 110]])


@pytest.fixture(scope='module')
def inferencer(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> PoseInferencer:
    """A model with random weights, in a folder with ``data`` and ``people.avi`` of 12 frames."""
    folder = tmp_path_factory.mktemp('run')
    write_coco(folder / 'data')
    (folder / 'tiny.py').write_text(CONFIG.format(root=repo_root))
    torch.manual_seed(0)
    write_checkpoint(dict(state_dict=sdpose.init_model(str(folder / 'tiny.py')).state_dict()), folder / 'tiny.pth')
    frame = cv2.imread(str(min((folder / 'data/coco/val2017').iterdir())))
    writer = cv2.VideoWriter(str(folder / 'people.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10, (160, 120))
    for number in range(12):
        writer.write(np.roll(frame, 2 * number, axis=1))
    writer.release()
    return PoseInferencer(str(folder / 'tiny.py'), str(folder / 'tiny.pth'))


@pytest.fixture(autouse=True)
def in_folder(inferencer: PoseInferencer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(inferencer.weights).parent)


def person(boxes: list, joints: list, scores: list, ids: list) -> PoseResult:
    values = [np.float32(each) for each in (boxes, [1] * len(boxes), joints, scores)]
    return PoseResult('a', 0, (100, 80), *values, track_ids=np.array(ids))


def test_a_tracker_by_hand() -> None:
    """People keep their numbers whatever the order of boxes; a new one gets a new one, which is never given twice."""
    tracker = Tracker(least_overlap=0.3)
    left, right = [0, 0, 10, 10], [50, 0, 60, 10]
    assert tracker.number(np.float32([left, right])).tolist() == [0, 1]
    assert tracker.number(np.float32([[52, 0, 62, 10], [2, 0, 12, 10]])).tolist() == [1, 0]
    assert tracker.number(np.float32([[30, 0, 40, 10], [2, 0, 12, 10]])).tolist() == [2, 0]
    assert tracker.number(np.float32([right])).tolist() == [3]
    assert tracker.number(np.empty((0, 4))).shape == (0,) and tracker.number(np.float32([left])).tolist() == [4]


def test_joints_tell_where_people_go_by_hand() -> None:
    """The extent of the seen joints with a margin of 15 %, within the picture; who is not seen is lost."""
    tracker = Tracker(least_score=0.3)
    joints = [[[10, 20], [30, 60], [99, 79]], [[50, 50], [52, 50], [54, 50]], [[0, 0], [10, 10], [20, 40]]]
    tracker.keep(BOXES[[0, 1, 1]], np.array([4, 5, 6]))
    tracker.follow(person(BOXES[[0, 1, 1]], joints, [[0.9, 0.9, 0.1], [0.9] * 3, [0.9, 0.1, 0.2]], [4, 5, 6]))
    boxes, ids = tracker.expected()
    assert ids.tolist() == [4] and np.allclose(boxes, [[7, 14, 33, 66]])
    tracker.follow(person([BOXES[0]], [[[2, 20], [98, 60], [50, 70]]], [[0.9] * 3], [4]))
    assert np.allclose(tracker.expected()[0], [[0, 12.5, 100, 77.5]])
    assert tracker.number(np.float32([[0, 0, 5, 5]])).tolist() == [7]


def test_a_detector_on_every_third_frame(inferencer: PoseInferencer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between, boxes come from joints; the numbers stay."""
    seen = []

    def detector(image: np.ndarray) -> np.ndarray:
        seen.append(image.copy())
        return BOXES

    monkeypatch.setattr(inferencer, 'detector', detector)
    results = inferencer('people.avi', detect_every=3)
    assert len(results) == 12 and len(seen) == 4
    for first in range(0, 12, 3):
        assert np.array_equal(results[first].boxes, BOXES)
        for before, result in zip(results[first:], results[first + 1 : first + 3]):
            for box, track in zip(result.boxes, result.track_ids):
                joints = before.keypoints[before.track_ids == track][0]
                low, high = np.clip(joints.min(axis=0), 0, None), np.clip(joints.max(axis=0), None, (160, 120))
                assert (box[:2] <= low + 1e-3).all() and (box[2:] >= high - 1e-3).all()
    assert len(inferencer('people.avi')) == 12 and len(seen) == 16


def test_files_of_a_run_agree(inferencer: PoseInferencer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overlays, MMPose's format, COCO's and arrays say the same; skeletons are where joints are."""
    pictures = sorted(Path('data/coco/val2017').iterdir())
    boxes, said = [BOXES, BOXES[:1], [], BOXES], []
    monkeypatch.setattr('sdpose.apis.inference.run.print_log', lambda text, *args: said.append(text))
    places = np.float32([(8 * (number % 6) + 4, 20 * (number // 6) + 10) for number in range(17)])  # of a crop of 48x64
    found = dict(keypoints=np.tile(places, (2, 1, 1)), keypoint_scores=np.full((2, 17), 0.9, np.float32))
    model = replace(inferencer.model, infer=lambda crops: {name: each[: len(crops)] for name, each in found.items()})
    monkeypatch.setattr(inferencer, 'model', model)
    monkeypatch.setattr(inferencer, 'batch_size', 2)
    options = RunOptions(forms=('images', 'json', 'coco', 'npz'))
    results = run(inferencer, 'data/coco/val2017', tmp_path, boxes, options=options)
    assert said[0] == 'no person in 1 of 4 pictures: data/coco/val2017/000000000202.jpg'
    coco, arrays = json.loads((tmp_path / 'results.json').read_text()), np.load(tmp_path / 'poses.npz')
    assert arrays['joints'].tolist()[:2] == ['nose', 'left_eye'] and arrays['keypoints'].shape == (5, 17, 2)
    assert arrays['image'].tolist() == [0, 0, 1, 3, 3] and (arrays['track_ids'] == -1).all()
    assert [entry['image_id'] for entry in coco] == [200, 200, 201, 203, 203]
    assert np.allclose(coco[1]['bbox'], [90, 8, 55, 102])
    for number, picture in enumerate(pictures):
        instances = json.loads((tmp_path / f'predictions/{picture.stem}.json').read_text())
        assert len(instances) == len(boxes[number]) == len(results[number])
        rows = arrays['keypoints'][arrays['image'] == number]
        before, after = cv2.imread(str(picture)), cv2.imread(str(tmp_path / 'visualizations' / picture.name))
        changed = np.abs(before.astype(int) - after).max(axis=2) > 40
        for row, instance in zip(rows, instances, strict=True):
            assert np.array_equal(np.float32(instance['keypoints']), row)
            inside = [(int(x), int(y)) for x, y in row if 0 <= x < 160 and 0 <= y < 120]
            assert len(inside) > 10 and all(changed[y, x] for x, y in inside)
        assert changed.any() == (len(rows) > 0)
    people = [np.reshape(entry['keypoints'], (17, 3))[:, :2] for entry in coco]
    assert np.array_equal(np.float32(people), arrays['keypoints'])
    assert {file.name for file in tmp_path.iterdir()} - {'.lock'} == {
        'visualizations',
        'predictions',
        'results.json',
        'poses.npz',
    }


def test_names_below_one_folder(inferencer: PoseInferencer, tmp_path: Path) -> None:
    """Pictures of several folders keep their place; two that differ in their ending alone keep that."""
    for name in ('a/x.png', 'a/x.jpg', 'b/c/x.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.full((40, 30, 3), 90, np.uint8))
    run(inferencer, f'{tmp_path}/**/*.*', tmp_path / 'out')
    written = {str(file.relative_to(tmp_path / 'out')) for file in (tmp_path / 'out').rglob('*.*')} - {'.lock'}
    assert written == {
        *('visualizations/a/x.png.png', 'visualizations/a/x.jpg.jpg', 'visualizations/b/c/x.png'),
        *('predictions/a/x.png.json', 'predictions/a/x.jpg.json', 'predictions/b/c/x.json'),
    }


@pytest.mark.parametrize('video', ['.mp4', '.avi'])
def test_a_video_and_its_frames(inferencer: PoseInferencer, tmp_path: Path, video: str) -> None:
    options = RunOptions(forms=('video', 'json'), video=video)
    run(inferencer, 'people.avi', tmp_path, BOXES, track=True, options=options)
    capture = cv2.VideoCapture(str(tmp_path / f'people{video}'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 12 and capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    assert capture.read()[1].shape == (120, 160, 3)
    frames = json.loads((tmp_path / 'predictions/people.json').read_text())
    assert [frame['frame_id'] for frame in frames] == [*range(12)]
    assert [[each['track_id'] for each in frame['instances']] for frame in frames] == [[0, 1]] * 12


def test_a_video_of_several_sizes(inferencer: PoseInferencer, tmp_path: Path) -> None:
    """It is refused at the first other size; nothing half-written stays, and what was found does."""
    for name, size in (('a', 40), ('b', 50)):
        cv2.imwrite(str(tmp_path / f'{name}.png'), np.full((size, 30, 3), 90, np.uint8))
    pictures = [str(tmp_path / f'{name}.png') for name in 'ab']
    out = tmp_path / 'out'
    with pytest.raises(UserError, match='b.png has 30 x 50 pixels, the frames before 30 x 40'):
        run(inferencer, pictures, out, options=RunOptions(forms=('video',)))
    assert [file.name for file in out.iterdir() if file.name != '.lock'] == ['unfinished.jsonl']
    run(inferencer, pictures, out, options=RunOptions(forms=('json',)))
    assert sorted(file.name for file in (out / 'predictions').iterdir()) == ['a.json', 'b.json']


def test_windows(inferencer: PoseInferencer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame is shown; q ends the run."""
    shown = []
    monkeypatch.setattr('sdpose.apis.inference.run.require_display', lambda instead: None)
    monkeypatch.setattr(cv2, 'imshow', lambda name, image: shown.append(image))
    monkeypatch.setattr(cv2, 'destroyAllWindows', lambda: None)
    monkeypatch.setattr(cv2, 'waitKey', lambda wait: ord('q') if len(shown) == 3 else -1)
    results = run(inferencer, 'people.avi', None, BOXES, options=RunOptions(show=True, least_score=-9))
    assert len(results) == len(shown) == 3
    assert np.abs(shown[0].astype(int) - cv2.VideoCapture('people.avi').read()[1]).max() > 60


def test_what_came_before_a_damaged_picture_is_kept(inferencer: PoseInferencer, tmp_path: Path) -> None:
    """Its results are in the record; once the picture is gone, or whole, the run goes on."""
    (tmp_path / 'in').mkdir()
    for number in range(4):
        cv2.imwrite(str(tmp_path / f'in/{number}.png'), np.full((40, 30, 3), 40 * number, np.uint8))
    whole = (tmp_path / 'in/2.png').read_bytes()
    (tmp_path / 'in/2.png').write_bytes(whole[:60])
    out = tmp_path / 'out'
    with pytest.raises(UserError, match='in/2.png cannot be read as a picture'):
        run(inferencer, tmp_path / 'in', out)
    assert len((out / 'unfinished.jsonl').read_text().splitlines()) == 3
    assert sorted(file.name for file in (out / 'visualizations').iterdir()) == ['0.png', '1.png']
    (tmp_path / 'in/2.png').write_bytes(whole)
    cv2.imwrite(str(tmp_path / 'in/0.png'), np.full((40, 31, 3), 200, np.uint8))  # another picture now
    results = run(inferencer, tmp_path / 'in', out)
    assert [result.image_size for result in results] == [(31, 40), (30, 40), (30, 40), (30, 40)]
    assert len(list((out / 'predictions').iterdir())) == 4 and not (out / 'unfinished.jsonl').exists()


def test_a_camera_is_answered_at_once(inferencer: PoseInferencer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frame by frame, two frames ahead at most; Ctrl-C is its end."""
    taken = []

    class Camera:
        def __init__(self, number: int) -> None:
            assert number == 3

        def isOpened(self) -> bool:
            return True

        def get(self, which: int) -> float:
            return 0.0

        def read(self) -> tuple[bool, np.ndarray]:
            taken.append(True)
            return True, np.full((40, 30, 3), len(taken), np.uint8)

        def release(self) -> None:
            taken.append(False)

    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    stream = inferencer.stream(3)
    results = [next(stream) for _ in range(4)]
    assert [result.image.max() for result in results] == [1, 2, 3, 4] and len(taken) <= 6
    stream.close()
    assert taken[-1] is False


def test_mistakes(inferencer: PoseInferencer, tmp_path: Path) -> None:
    for out, options, said in (
        (None, None, 'nothing would come of it'),
        (tmp_path, RunOptions(forms=('gif',)), "'gif' is nothing that can be written"),
        (tmp_path, RunOptions(forms=('video',), fps=-1), 'fps=-1: give frames per second'),
        (tmp_path, RunOptions(fps=0), 'fps=0: give frames per second'),
        (tmp_path, RunOptions(wait=-1), 'wait=-1: give seconds from 0'),
        (tmp_path, RunOptions(least_score=float('nan')), 'least_score=nan: give a number'),
        (tmp_path, RunOptions(forms=('video',), codec='mp'), "codec 'mp': give its four characters"),
        (tmp_path, RunOptions(forms=('video',), codec='QQQQ'), 'cannot write the codec QQQQ into .mp4'),
    ):
        with pytest.raises(UserError, match=said):
            run(inferencer, 'people.avi', out, options=options)
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='--out: the folder .*file cannot be written'):
        run(inferencer, 'people.avi', tmp_path / 'file')
    with pytest.raises(UserError, match='a video ends in'):
        OverlayVideo(tmp_path / 'a.mkv', 25, None)


def test_a_mistake_leaves_no_record_that_bars_the_next_run(inferencer: PoseInferencer, tmp_path: Path) -> None:
    """What is refused before the first result has found nothing that is worth going on with."""
    for boxes, every, said in (
        ('gone.json', 1, 'gone.json is not a file of detections'),
        (None, 0, 'detect_every=0: give a number of frames'),
        ([[float('nan'), 0, 10, 10]], 1, 'is no finite number'),
    ):
        with pytest.raises(UserError, match=said):
            run(inferencer, 'people.avi', tmp_path, boxes, every)
        assert [each.name for each in tmp_path.iterdir()] == ['.lock']
    assert len(run(inferencer, 'people.avi', tmp_path)) == 12


def test_a_video_without_frames(inferencer: PoseInferencer, tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / 'none.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10, (160, 120))
    writer.release()
    with pytest.raises(UserError, match='video .*none.avi has no frame that can be read'):
        run(inferencer, str(tmp_path / 'none.avi'), tmp_path / 'out')
    assert [each.name for each in (tmp_path / 'out').iterdir()] == ['.lock']


def test_a_rule_without_a_threshold(inferencer: PoseInferencer) -> None:
    with pytest.raises(UserError, match="halt_by='motion' says what the threshold halt is compared with: give halt"):
        PoseInferencer(inferencer.config, inferencer.weights, halt_by='motion')


def test_detectors_of_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights are taken from a file, or from where torch keeps them; what is no person is left out."""
    from torchvision.models import get_model

    name = 'ssdlite320_mobilenet_v3_large'
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(UserError, match=f'the weights of {name} are not at .*checkpoints/ssdlite.*fetch them'):
        build_detector(name)
    torch.manual_seed(0)
    (tmp_path / 'checkpoints').mkdir()
    file = tmp_path / 'checkpoints/ssdlite320_mobilenet_v3_large_coco-a79551df.pth'
    write_checkpoint(get_model(name, weights=None, weights_backbone=None).state_dict(), file)
    detectors = build_detector(name), build_detector(f'{name}={file}')
    found = dict(
        boxes=torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8]]), scores=torch.tensor([0.9, 0.8]), labels=torch.tensor([3, 1])
    )
    image = np.zeros((50, 60, 3), np.uint8)
    image[..., 2] = 255  # red
    for detector in detectors:
        assert detector(image).shape[1] == 5
        monkeypatch.setattr(detector, 'model', lambda images: check(images) or [found])
        assert np.allclose(detector(image), [[5, 6, 7, 8, 0.8]])
    write_checkpoint(dict(a=torch.ones(1)), file)
    with pytest.raises(UserError, match='holds the weights of another model'):
        build_detector(name)


def check(images: list[torch.Tensor]) -> None:
    """What torchvision's models read: (3, H, W), red first, 0 to 1."""
    assert images[0].shape == (3, 50, 60) and images[0].amax(dim=(1, 2)).tolist() == [1, 0, 0]
