"""``PoseInferencer`` beside MMPose's inference, with models of random weights: inputs, boxes, weights, mistakes."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from exported_models import Deployed, describe, write_onnx
from mmengine.config import Config
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model
from PIL import Image
from stick_people import CONFIG, write_coco

import sdpose
from sdpose.apis.inference import sources
from sdpose.errors import ConfigError, DataError, MismatchError, UserError
from sdpose.io.checkpoint import write_checkpoint

GIVEN = 'data/coco/annotations/person_keypoints_val2017.json'
BOXES = np.array([[8, 6, 66, 100], [90, 8, 145, 110.5]], np.float32)


def write_model(config: str | Config, file: Path, **meta: Any) -> Any:
    """A model with random weights whose predictions differ from joint to joint, and its checkpoint."""
    torch.manual_seed(0)
    cfg = Config.fromfile(config) if isinstance(config, str) else config
    model: Any = init_model(cfg, device='cpu')
    model.init_weights()
    for name, value in model.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 2)
        elif value.is_floating_point() and 'pos' not in name:
            value.add_(0.05 * torch.randn_like(value))
    write_checkpoint(dict(state_dict=model.state_dict(), meta=meta), file)
    return model


@pytest.fixture(scope='module')
def tiny(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> SimpleNamespace:
    """``folder`` with ``data``, ``tiny.py`` and ``tiny.pth`` (config inside), its ``model`` and an ``inferencer``."""
    folder = tmp_path_factory.mktemp('inference')
    write_coco(folder / 'data')
    config = folder / 'tiny.py'
    config.write_text(CONFIG.format(root=repo_root))
    model = write_model(str(config), folder / 'tiny.pth', cfg=Config.fromfile(config).pretty_text)
    pictures = sorted(map(str, (folder / 'data/coco/val2017').iterdir()))
    inferencer = sdpose.PoseInferencer(weights=str(folder / 'tiny.pth'))
    return SimpleNamespace(folder=folder, config=config, model=model, pictures=pictures, inferencer=inferencer)


@pytest.fixture(autouse=True)
def in_folder(tiny: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.folder)


def expected(model: Any, picture: str, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = [sample.pred_instances for sample in inference_topdown(model, picture, boxes)]
    return (np.concatenate([getattr(each, key) for each in found]) for key in ('keypoints', 'keypoint_scores'))


@pytest.mark.parametrize(
    'name',
    [
        'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48',
        'sdpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48',
        'rle-tiny_res18_1xb32-10e_synthetic-64x48',
        'ppt-tiny_stemnet_1xb32-30e_synthetic-64x48',
        'sdpose-tiny_stemnet_1xb32-30e_synthetic-mpii-64x64',
        'udp',
    ],
)
@pytest.mark.parametrize('flip', [True, False])
def test_key_points_are_mmposes(tiny: SimpleNamespace, tmp_path: Path, repo_root: Path, name: str, flip: bool) -> None:
    """Every head, pruning, another data set, crops of UDP: within 1e-4 px of ``inference_topdown``.

    Heatmaps of random weights are noise, of whose rounding, another on each processor, DARK makes a pixel's thousandths
    at some peaks.
    """
    if name == 'udp':
        cfg = Config.fromfile(tiny.config)
        cfg.test_dataloader.dataset.pipeline[2].use_udp = True
        codec = dict(type='UDPHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=2)
        cfg.model.head.decoder = codec
    else:
        cfg = Config.fromfile(repo_root / f'configs/quick_start/{name}.py')
    cfg.model.test_cfg = dict(cfg.model.get('test_cfg') or {}, flip_test=flip)
    cfg.dump(tmp_path / 'config.py')
    model = write_model(cfg, tmp_path / 'random.pth')
    inferencer = sdpose.PoseInferencer(str(tmp_path / 'config.py'), str(tmp_path / 'random.pth'))
    assert inferencer.model.flip_test is flip
    for result in inferencer(tiny.pictures[:2], BOXES):
        keypoints, scores = expected(model, result.name, BOXES)
        assert result.keypoints.std(axis=1).min() > 1  # no two joints are one
        apart = np.abs(result.keypoints - keypoints)
        assert np.median(apart) <= 1e-4 and np.quantile(apart, 0.9) <= 1e-3 and apart.max() <= 2e-2
        assert np.abs(result.keypoint_scores - scores).max() <= 1e-5


def test_every_kind_of_input(tiny: SimpleNamespace) -> None:
    """All lead to the same pixels; names are files, or numbers of frames."""
    pixels = [cv2.imread(picture) for picture in tiny.pictures]
    reference = tiny.inferencer(tiny.pictures, BOXES)
    assert [result.name for result in reference] == tiny.pictures and reference[0].image is None
    assert reference[0].image_size == (160, 120)
    for inputs in (
        'data/coco/val2017',
        Path('data/coco/val2017'),
        'data/coco/val2017/*.jpg',
        'data/**/000000000[2-9]*.jpg',
        pixels,
        np.stack(pixels),
        iter(pixels),
        [Image.fromarray(each[..., ::-1]) for each in pixels],
        [tiny.pictures[0], pixels[1], Image.fromarray(pixels[2][..., ::-1]), Path(tiny.pictures[3])],
    ):
        found = tiny.inferencer(inputs, BOXES)
        assert [result.index for result in found] == [0, 1, 2, 3]
        assert all(np.array_equal(a.keypoints, b.keypoints) for a, b in zip(found, reference))
    (one,) = tiny.inferencer(tiny.pictures[0], BOXES)
    (same,) = tiny.inferencer(np.dstack([pixels[0], pixels[0][..., :1]]), BOXES)  # with alpha
    assert np.allclose(one.keypoints, reference[0].keypoints, atol=1e-3)
    assert np.array_equal(one.keypoints, same.keypoints) and same.name == '000000'


def test_batches_of_people_give_the_same(tiny: SimpleNamespace) -> None:
    reference = tiny.inferencer(tiny.pictures, GIVEN)
    for size in (1, 3):
        found = sdpose.PoseInferencer(str(tiny.config), 'tiny.pth', batch_size=size)(tiny.pictures, GIVEN)
        for one, other in zip(found, reference, strict=True):
            assert np.abs(one.keypoints - other.keypoints).max() < 1e-3


def test_frames_are_read_ahead_but_not_without_end(tiny: SimpleNamespace) -> None:
    """Of an endless iterator a few frames more than were answered are taken, with their pixels in the results."""
    taken: list[int] = []

    def frames() -> Iterator[np.ndarray]:
        for number in count():
            taken.append(number)
            yield np.full((40, 30, 3), number, np.uint8)

    stream = tiny.inferencer.stream(frames(), [[0, 0, 30, 40]])
    results = [next(stream) for _ in range(33)]
    stream.close()
    assert [int(result.image.max()) for result in results] == [*range(33)]
    assert 33 < len(taken) <= 32 + 32 + 5


def test_where_boxes_come_from(tiny: SimpleNamespace, tmp_path: Path) -> None:
    """For all pictures, for each, of files of both forms, of a callable with scores and a threshold."""
    picture = tiny.pictures[0]
    same = tiny.inferencer(tiny.pictures, BOXES)
    each = tiny.inferencer(tiny.pictures, [BOXES, BOXES[:1], [], BOXES])
    assert [len(result) for result in each] == [2, 1, 0, 2] and each[2].keypoints.shape == (0, 17, 2)
    assert np.allclose(each[3].keypoints, same[3].keypoints, atol=1e-3)

    annotated = tiny.inferencer(tiny.pictures, GIVEN)
    content = json.loads(Path(GIVEN).read_text())
    first = [entry['bbox'] for entry in content['annotations'] if entry['image_id'] == content['images'][0]['id']]
    assert annotated[0].image_id == content['images'][0]['id'] and len(annotated[0]) == len(first) == 2
    assert annotated[0].boxes[0].tolist() == [first[0][0], first[0][1], first[0][0] + first[0][2], sum(first[0][1::2])]

    for key in (Path(picture).name, Path(picture).stem, int(Path(picture).stem)):
        entry = dict(image_id=key, category_id=1, bbox=[8, 6, 58, 94])
        entries = [dict(entry, score=0.9), dict(entry, score=0.2), dict(entry, score=0.9, category_id=18)]
        (tmp_path / 'boxes.json').write_text(json.dumps(entries))
        found = tiny.inferencer(tiny.pictures, tmp_path / 'boxes.json')
        assert [len(result) for result in found] == [1, 0, 0, 0]
        assert found[0].boxes.tolist() == [[8, 6, 66, 100]] and found[0].box_scores == pytest.approx(0.9)
        assert np.allclose(found[0].keypoints[0], same[0].keypoints[0], atol=1e-3)

    seen = []

    def detector(image: np.ndarray) -> np.ndarray:
        seen.append(image.shape)
        return np.column_stack([BOXES, [0.8, 0.4]])

    detecting = sdpose.PoseInferencer(str(tiny.config), 'tiny.pth', detector=detector, box_score=0.5)
    (found,) = detecting(picture)
    assert seen == [(120, 160, 3)] and found.boxes.tolist() == [BOXES[0].tolist()]
    (whole,) = tiny.inferencer(picture)
    assert whole.boxes.tolist() == [[0, 0, 160, 120]] and whole.box_scores.tolist() == [1]


def test_scores_of_people_are_those_of_coco(tiny: SimpleNamespace) -> None:
    """Box score times the mean of the joints above 0.2; by hand."""
    (result,) = tiny.inferencer(tiny.pictures[0], BOXES)
    result.keypoint_scores = np.tile(np.float32([0.1, 0.5, 0.9] + [0.0] * 14), (2, 1))
    result.box_scores = np.float32([1, 0.5])
    assert result.scores.tolist() == pytest.approx([0.7, 0.35])


def test_exported_and_published_files(tiny: SimpleNamespace, tmp_path: Path) -> None:
    """It predicts what its checkpoint does, knows joints and limbs, and is checked against a config."""
    cfg = Config.fromfile(tiny.config)
    write_onnx(Deployed(tiny.model), tmp_path / 'model.onnx', describe(cfg, 'heatmaps'))
    exported = sdpose.PoseInferencer(weights=str(tmp_path / 'model.onnx'))
    assert exported.model.joints == tiny.inferencer.model.joints
    assert {*exported.model.skeleton.limbs} == {*tiny.inferencer.model.skeleton.limbs}
    for one, other in zip(exported(tiny.pictures, BOXES), tiny.inferencer(tiny.pictures, BOXES), strict=True):
        assert np.abs(one.keypoints - other.keypoints).max() <= 1e-3
    assert sdpose.PoseInferencer(str(tiny.config), str(tmp_path)).model.size == (48, 64)
    published = sdpose.publish(str(tiny.config), 'tiny.pth', f'{tmp_path}/store/').file
    stored = sdpose.PoseInferencer(str(tiny.config), f'{tmp_path}/store')
    assert stored.weights == str(published) and stored.model.joints == exported.model.joints
    (found,) = sdpose.PoseInferencer(weights=str(published))(tiny.pictures[0], BOXES)
    assert np.allclose(found.keypoints, tiny.inferencer(tiny.pictures[0], BOXES)[0].keypoints, atol=1e-3)
    with pytest.raises(ConfigError, match="^model: DistillPoseEstimator has no argument 'nek'; did you mean 'neck'"):
        sdpose.PoseInferencer(weights=str(published), cfg_options={'model.nek': 3})
    with pytest.raises(ConfigError, match='input_size'):
        sdpose.PoseInferencer('sdpose-t_stemnet_8xb64-300e_coco-256x192', str(tmp_path / 'model.onnx'))


def test_mmposes_inferencers_take_our_configs_and_weights(tiny: SimpleNamespace) -> None:
    """As they stand: the same key points from both, and from here."""
    inferencer = MMPoseInferencer(
        pose2d=str(tiny.config), pose2d_weights='tiny.pth', det_model='whole_image', device='cpu'
    )
    (predictions,) = next(inferencer(tiny.pictures[0]))['predictions']
    model = init_model(str(tiny.config), 'tiny.pth', device='cpu')
    whole = np.float32([[0, 0, 160, 120]])
    keypoints, scores = expected(model, tiny.pictures[0], whole)
    (found,) = tiny.inferencer(tiny.pictures[0])
    assert np.allclose(predictions[0]['keypoints'], keypoints[0], atol=1e-4)
    assert np.allclose(found.keypoints, keypoints, atol=1e-4) and np.allclose(found.keypoint_scores, scores, atol=1e-5)
    (ours,) = found.instances()
    assert {*ours} == {*predictions[0]} and np.allclose(ours['bbox'], predictions[0]['bbox'])


def test_mistakes_in_weights_and_configs(tiny: SimpleNamespace, tmp_path: Path) -> None:
    write_checkpoint(dict(state_dict=tiny.model.state_dict()), tmp_path / 'bare.pth')
    for arguments, error, said in (
        ((None, None), UserError, 'weights are missing'),
        ((str(tiny.config), None), UserError, 'holds no tiny-<hash>.pth, and nothing is downloaded'),
        ((str(tiny.config), str(tiny.folder)), UserError, 'inference0 holds no tiny-<hash>.pth'),
        ((None, 'nowhere.pth'), UserError, 'checkpoint nowhere.pth does not exist; . holds tiny.pth'),
        ((None, 'nowhere.onnx'), UserError, 'nowhere.onnx does not exist'),
        ((None, str(tmp_path / 'bare.pth')), ConfigError, 'bare.pth carries no config'),
        (('sdpose-tiny_stemnet', 'tiny.pth'), ConfigError, "No config 'sdpose-tiny_stemnet'.*Similar: "),
        (('sdpose-t_stemnet_8xb64-300e_coco-256x192', 'tiny.pth'), MismatchError, 'tiny.pth does not fit the model'),
        (('sdpose-deit-mini_1xb64-30e_shapes-40x40', 'tiny.pth'), ConfigError, 'no GetBBoxCenterScale'),
    ):
        with pytest.raises(error, match=said):
            sdpose.PoseInferencer(*arguments)
    for options, said in (
        (dict(device='cuda:99'), "device='cuda:99': this machine has cpu"),
        (dict(batch_size=0), 'batch_size=0: give at least 1'),
        (dict(detector='yolo'), "no detector is called 'yolo'"),
        (dict(detector='fasterrcnn_nothing'), "torchvision has no detection model 'fasterrcnn_nothing'"),
    ):
        with pytest.raises(UserError, match=said):
            sdpose.PoseInferencer(weights='tiny.pth', **options)
    cfg = Config.fromfile(tiny.config)
    cfg.test_dataloader.dataset.pipeline.insert(2, dict(type='RandomFlip'))
    cfg.dump(tmp_path / 'odd.py')
    with pytest.raises(ConfigError, match='the test pipeline has the step RandomFlip'):
        sdpose.PoseInferencer(str(tmp_path / 'odd.py'), 'tiny.pth')


def test_a_picture_that_is_cut_off_is_said(
    tiny: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Path(tiny.pictures[0]).read_bytes()
    (tmp_path / 'half.jpg').write_bytes(content[: len(content) // 2])
    said: list[str] = []
    monkeypatch.setattr(sources, 'print_log', lambda line, *rest: said.append(line))
    (result,) = tiny.inferencer(tmp_path / 'half.jpg')
    assert len(result.keypoints) == 1
    assert said == [f'{tmp_path}/half.jpg is cut off: what is missing of it is grey']
    tiny.inferencer(tiny.pictures[0])
    assert len(said) == 1


def test_mistakes_in_inputs_and_boxes(tiny: SimpleNamespace, tmp_path: Path) -> None:
    picture = tiny.pictures[0]
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'no.jpg').write_bytes(b'\xff\xd8no picture')
    (tmp_path / 'no.avi').write_bytes(b'no video')
    (tmp_path / 'other.json').write_text('[{"image_id": 7, "bbox": [1, 2, 3, 4], "score": 1}]')
    (tmp_path / 'odd.json').write_text('[{"image": 7}]')
    (tmp_path / 'none.json').write_text('[]')
    for inputs, boxes, said in (
        ('nowhere.jpg', None, 'nowhere.jpg does not exist'),
        ('https://a.b/c.jpg', None, 'https://a.b/c.jpg is an address'),
        ('no*such', None, r'no file fits the pattern no\*such'),
        (tmp_path / 'empty', None, 'empty holds no pictures'),
        ([], None, 'the list of inputs is empty'),
        (3.5, None, 'inputs of float cannot be read'),
        (77, None, 'camera 77 cannot be opened'),
        (tmp_path / 'no.jpg', None, 'no.jpg cannot be read as a picture'),
        (tmp_path / 'no.avi', None, 'video .*no.avi cannot be read'),
        (np.zeros((4, 4)), None, 'pixels of 8 bits'),
        (picture, [[200, 10, 300, 100]], r'200.jpg: the box \[200.0, .*\] lies outside the picture .* 160 x 120'),
        (picture, [[50, 10, 20, 100]], 'has no extent'),
        (picture, [[1, 2, 3]], 'must be .N, 4.'),
        (picture, [BOXES, BOXES], 'there are boxes for 2 pictures'),
        (picture, tmp_path / 'other.json', 'other.json has no box .* for any of the 1 pictures.*its pictures are 7'),
        (picture, tmp_path / 'none.json', 'none.json has no box .* of .*: it has none of any picture'),
        ('', None, 'the name of an input is empty'),
        (picture, tmp_path / 'odd.json', 'odd.json is no list of detections'),
        (picture, 'nowhere.json', 'nowhere.json is not a file of detections'),
    ):
        with pytest.raises(DataError, match=said):
            tiny.inferencer(inputs, boxes)
    with pytest.raises(UserError, match='box_score=nan: give a number'):
        sdpose.PoseInferencer(weights='tiny.pth', box_score=float('nan'))
    with pytest.raises(UserError, match='detect_every=3 is for a detector'):
        tiny.inferencer(picture, detect_every=3)
    detecting = sdpose.PoseInferencer(weights='tiny.pth', detector=lambda image: np.ones((2, 7)))
    with pytest.raises(UserError, match=r'the detector must return \(N, 4\)'):
        detecting(picture)
