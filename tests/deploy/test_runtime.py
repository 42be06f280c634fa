"""An exported file run without torch gives the joints of ``tools/test.py``; what cannot be run is named in one line."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import onnx
import openvino
import pytest
import torch
from exported_models import Deployed, describe, label_onnx, write_onnx
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from mmpose.models.utils.tta import flip_coordinates
from torch import Tensor, nn

from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.deploy import ExportedFile, PoseRuntime, runtime


def people_of(posed: SimpleNamespace) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Of each person of the test data: picture, box, and MMPose's joints and scores."""
    with torch.no_grad():
        samples = posed.model.test_step(posed.batch)
    return [
        (
            sample.img_path,
            sample.gt_instances.bboxes[0],
            sample.pred_instances.keypoints[0],
            sample.pred_instances.keypoint_scores[0],
        )
        for sample in samples
    ]


def largest_difference(posed: SimpleNamespace, pose: PoseRuntime) -> float:
    """Between the runtime's joints, all people of a picture at once, and MMPose's, in pixels and scores."""
    people = people_of(posed)
    largest = 0.0
    for path in sorted({path for path, *_ in people}):
        mine = [person for person in people if person[0] == path]
        joints, scores = pose.predict(cv2.imread(path), np.stack([box for _, box, *_ in mine]))
        assert joints.shape == (len(mine), 17, 2) and scores.shape == (len(mine), 17)
        for found, height, (_, _, expected, expected_height) in zip(joints, scores, mine):
            largest = max(largest, abs(found - expected).max(), abs(height - expected_height).max())
    return largest


def test_crops_are_mmposes_bit_by_bit(posed: SimpleNamespace):
    rng = np.random.default_rng(4)
    image = rng.integers(0, 256, (333, 517, 3), np.uint8)
    corners = rng.uniform((-60, -60), (500, 320), (200, 2))
    boxes = np.hstack([corners, corners + rng.uniform(1, 400, (200, 2))]).astype(np.float32)
    for size, padding in (((48, 64), 1.25), ((192, 256), 1.25), ((256, 256), 1.0), ((64, 40), 1.5)):
        steps = (GetBBoxCenterScale(padding=padding), TopdownAffine(input_size=size))
        centers, scales = runtime.center_scale(boxes, size, padding)
        crops = runtime.crop_people(image, centers, scales, size)
        for number, box in enumerate(boxes):
            results: Any = dict(img=image, bbox=box[None])
            for step in steps:
                results = step.transform(results)
            np.testing.assert_array_equal(results['input_center'], centers[number])
            np.testing.assert_array_equal(results['input_scale'], scales[number])
            np.testing.assert_array_equal(results['img'], crops[number])


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_pixels_are_normalized_as_the_preprocessor_does(posed: SimpleNamespace, order: str):
    preprocessor = posed.model.data_preprocessor
    raw = torch.stack(posed.batch['inputs'])  # blue, green, red
    crops = raw.permute(0, 2, 3, 1).numpy()
    mean, std = preprocessor.mean.flatten(), preprocessor.std.flatten()
    expected = ((raw[:, [2, 1, 0]] if order == 'rgb' else raw).float() - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    found = runtime.normalize(crops, mean.tolist(), std.tolist(), order)
    np.testing.assert_array_equal(found, expected.numpy())
    if order == 'rgb':
        np.testing.assert_array_equal(found, preprocessor(posed.batch)['inputs'].numpy())


def test_joints_are_those_of_the_test_pipeline(posed: SimpleNamespace):
    pose = PoseRuntime(posed.file, threads=1)
    assert pose.flip_test and pose.size == (48, 64) and pose.metadata['joints']['names'][0] == 'nose'
    scores = np.concatenate([height for *_, height in people_of(posed)])
    assert scores.mean() > 0.3  # else noise is compared with noise
    assert largest_difference(posed, pose) < 1e-3


@pytest.mark.parametrize('batch_size', [1, 3, 100])
def test_the_size_of_a_batch_changes_nothing(posed: SimpleNamespace, batch_size: int):
    assert largest_difference(posed, PoseRuntime(posed.file, batch_size=batch_size, threads=1)) < 1e-3


def test_a_batch_that_the_file_wants_full_is_filled(posed: SimpleNamespace, tmp_path: Path):
    metadata = describe(posed.cfg, 'heatmaps')
    metadata['input']['batch'] = 3
    file = write_onnx(Deployed(posed.model), tmp_path / 'three.onnx', metadata, batch=3)
    assert ExportedFile(file).batch_size == 3
    assert largest_difference(posed, PoseRuntime(file, threads=1)) < 1e-3
    with pytest.raises(ValueError, match=r'batch_size=2: .*three.onnx was exported for batches of 3; leave batch_size'):
        PoseRuntime(file, batch_size=2)


class Flipped(nn.Module):
    """A model whose graph holds the flip test."""

    def __init__(self, inner: nn.Module, order: list[int]) -> None:
        super().__init__()
        self.inner, self.order = inner, order

    def forward(self, image: Tensor) -> Tensor:
        mirrored = self.inner(image.flip(-1)).flip(-1)[:, self.order]
        return (self.inner(image) + torch.cat([mirrored[..., :1], mirrored[..., :-1]], -1)) * 0.5


def test_the_flip_test_is_run_once_wherever_it_is(posed: SimpleNamespace, tmp_path: Path, in_folder: Path):
    order = list(posed.tests.metainfo['flip_indices'])
    flip = dict(enabled=True, inside=True, shift_heatmap=True)
    metadata = describe(posed.cfg, 'heatmaps', flip_test=flip)
    file = write_onnx(Flipped(Deployed(posed.model), order), tmp_path / 'flipped.onnx', metadata)
    assert largest_difference(posed, PoseRuntime(file, threads=1)) < 1e-3
    assert largest_difference(posed, PoseRuntime(file, threads=1, flip_test=True)) < 1e-3
    with pytest.raises(ValueError, match='flip_test=False: the flip test of .* is inside its graph'):
        PoseRuntime(file, flip_test=False)
    plain = PoseRuntime(posed.file, threads=1, flip_test=False)
    assert not plain.flip_test and largest_difference(posed, plain) > 0.01
    posed.model.test_cfg['flip_test'] = False
    try:
        assert largest_difference(posed, plain) < 1e-3
    finally:
        posed.model.test_cfg['flip_test'] = True


def test_openvino_gives_the_same(posed: SimpleNamespace, tmp_path: Path):
    model = openvino.convert_model(str(posed.file))
    (tmp_path / 'beside').mkdir()
    openvino.save_model(model, str(tmp_path / 'beside/model.xml'), compress_to_fp16=False)
    text = json.dumps(describe(posed.cfg, 'heatmaps', file='model.xml', runtime='openvino'))
    (tmp_path / 'beside/metadata.json').write_text(text)
    assert largest_difference(posed, PoseRuntime(tmp_path / 'beside', threads=1)) < 1e-3
    model.set_rt_info(text, ['sdpose'])
    openvino.save_model(model, str(tmp_path / 'inside.xml'), compress_to_fp16=False)
    assert largest_difference(posed, PoseRuntime(tmp_path / 'inside.xml', threads=1)) < 1e-3
    with pytest.raises(ValueError, match=r"providers=\['CPU'\] are of ONNX Runtime"):
        PoseRuntime(tmp_path / 'inside.xml', providers=['CPU'])


@pytest.mark.parametrize('suffix', ['.onnx', '.xml'])
def test_a_runtime_may_be_shared_by_threads(posed: SimpleNamespace, tmp_path: Path, suffix: str):
    file = tmp_path / f'model{suffix}'
    if suffix == '.xml':
        model = openvino.convert_model(str(posed.file))
        model.set_rt_info(json.dumps(describe(posed.cfg, 'heatmaps')), ['sdpose'])
        openvino.save_model(model, str(file), compress_to_fp16=False)
    else:
        shutil.copy(posed.file, file)
    pose = PoseRuntime(file, threads=1)
    images = np.random.default_rng(0).integers(0, 256, (8, 120, 160, 3), np.uint8)
    boxes = [[10, 10, 60, 100]] * 8
    alone = [pose.predict(image, boxes) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: pose.predict(image, boxes), [*images] * 4))
    for found, wanted in zip(together, alone * 4):
        assert all(np.array_equal(*pair) for pair in zip(found, wanted))


def test_signals_are_answered_behind_a_model_in_openvino(posed: SimpleNamespace, tmp_path: Path, run_tool: Callable):
    """Each core of OpenVINO moves the stack of signals, and gives it back in the wrong order."""
    openvino.save_model(openvino.convert_model(str(posed.file)), str(tmp_path / 'model.xml'))
    (tmp_path / 'metadata.json').write_text(json.dumps(describe(posed.cfg, 'heatmaps')))
    program = (
        'import faulthandler, os, signal, sys\nfrom sdpose.deploy import PoseRuntime\nfaulthandler.enable()\n'
        'signal.signal(signal.SIGUSR1, lambda *_: print("answered"))\n'
        'first, second = (PoseRuntime(sys.argv[1]) for _ in range(2))\ndel first\ndel second\n'
        'os.kill(os.getpid(), signal.SIGUSR1)\n'
    )
    assert run_tool('-c', program, tmp_path / 'model.xml', check=True).stdout == 'answered\n'


def test_openvino_reports_to_nobody(
    posed: SimpleNamespace, one_picture: SimpleNamespace, tmp_path: Path, new_home: dict[str, str], run_tool: Callable
):
    """Its telemetry leaves an identity at home, and sends from a forked process."""
    openvino.save_model(openvino.convert_model(str(posed.file)), str(tmp_path / 'model.xml'))
    (tmp_path / 'metadata.json').write_text(json.dumps(describe(posed.cfg, 'heatmaps')))
    run_tool('-m', 'sdpose.deploy.runtime', tmp_path / 'model.xml', one_picture.path, env=new_home, check=True)
    assert not (tmp_path / 'home/intel').exists()


class OtherForm(nn.Module):
    """Coordinates of a regression model as joints in pixels, or as one vector per axis."""

    def __init__(self, inner: nn.Module, kind: str, size: tuple[int, int]) -> None:
        super().__init__()
        self.inner, self.kind, self.size = inner, kind, size

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        coords, scores = self.inner(image)
        if self.kind == 'joints':
            return coords * torch.tensor(self.size), scores
        cells = [torch.arange(2 * side) / (2 * side) for side in self.size]
        x, y = (scores[..., None] - (coords[..., axis, None] - cells[axis]).abs() for axis in range(2))
        return x, y


@pytest.mark.parametrize('kind, tolerance', [('coordinates', 1e-3), ('joints', 1e-3), ('simcc', 1.0)])
@pytest.mark.parametrize('flip_test', [True, False])
def test_coordinates_are_those_of_the_test_pipeline(
    posed: SimpleNamespace, repo_root: Path, tmp_path: Path, kind: str, tolerance: float, flip_test: bool
):
    cfg = load_config(str(repo_root / 'configs/quick_start/tokenpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48.py'))
    torch.manual_seed(1)
    model = build_model(cfg.model)
    model.init_weights()
    model.head.mlp[-1].weight.data *= 20  # else all joints lie in the middle
    model.test_cfg['flip_test'] = flip_test and kind != 'simcc'  # whose two passes fall on other cells
    metadata = describe(cfg, kind, flip_test=dict(enabled=model.test_cfg['flip_test'], inside=False))
    inner = Deployed(model)
    module = inner if kind == 'coordinates' else OtherForm(inner, kind, (48, 64))
    pose = PoseRuntime(write_onnx(module, tmp_path / 'model.onnx', metadata), threads=1)
    assert pose.flip_test == model.test_cfg['flip_test']
    other = SimpleNamespace(**{**vars(posed), 'model': model.eval()})
    found = np.concatenate([joints for _, _, joints, _ in people_of(other)])
    assert found.std(axis=0).min() > 3  # pixels of the picture
    assert largest_difference(other, pose) < tolerance  # simcc: half a cell of the crop, in pixels of the picture


@pytest.mark.parametrize('shift', [True, False])
@pytest.mark.parametrize('kind', ['coordinates', 'joints'])
def test_mirrored_coordinates_return_as_mmpose_turns_them(
    posed: SimpleNamespace, tmp_path: Path, kind: str, shift: bool
):
    file = shutil.copy(posed.file, tmp_path)
    flip, codec = dict(enabled=True, inside=False, shift_coords=shift), dict(type='RegressionLabel')
    metadata = describe(posed.cfg, 'heatmaps', output=dict(kind=kind), flip_test=flip, codec=codec)
    label_onnx(Path(file), json.dumps(metadata))
    coords, scores = torch.rand(5, 17, 2), torch.rand(5, 17)
    unit = torch.tensor([1, 1] if kind == 'coordinates' else [48, 64])
    found = PoseRuntime(file)._mirror([(coords * unit).numpy(), scores.numpy()])
    order = posed.tests.metainfo['flip_indices']
    expected = flip_coordinates(coords.clone(), order, shift, (48, 64)) * unit
    np.testing.assert_allclose(found[0], expected.numpy(), atol=1e-5)
    np.testing.assert_array_equal(found[1], scores[:, order].numpy())


# -- without torch -----------------------------------------

# What a device lacks: importing it fails.
FORBID = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ABSENT:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Absent())
"""
ABSENT = ('torch', 'torchvision', 'mmpose', 'mmcv', 'mmengine', 'scipy', 'onnx', 'matplotlib')


def device(*others: str) -> str:
    """The first lines of a program on a device without torch, and without some other packages."""
    return f'ABSENT = {(*ABSENT, *others)!r}\n{FORBID}'


PREDICT = """
import json, cv2, numpy as np
boxes = np.array(json.loads(sys.argv[3]))
joints, scores = PoseRuntime(sys.argv[1], threads=1).predict(cv2.imread(sys.argv[2]), boxes)
assert 'torch' not in sys.modules
print(json.dumps([joints.tolist(), scores.tolist()]))
"""


@pytest.fixture
def one_picture(posed: SimpleNamespace) -> SimpleNamespace:
    """``path``, ``boxes`` as JSON, and what the runtime finds there: ``joints``, ``scores``."""
    people = people_of(posed)
    path = people[0][0]
    boxes = np.stack([box for one, box, *_ in people if one == path])
    joints, scores = PoseRuntime(posed.file, threads=1).predict(cv2.imread(path), boxes)
    return SimpleNamespace(path=path, boxes=boxes, joints=joints, scores=scores)


def test_the_package_needs_no_torch(posed: SimpleNamespace, one_picture: SimpleNamespace, run_tool: Callable):
    program = device() + 'from sdpose.deploy import PoseRuntime' + PREDICT
    boxes = json.dumps(one_picture.boxes.tolist())
    done = run_tool('-c', program, posed.file, one_picture.path, boxes, check=True)
    joints, scores = json.loads(done.stdout)
    np.testing.assert_allclose(joints, one_picture.joints, atol=1e-5)
    np.testing.assert_allclose(scores, one_picture.scores, atol=1e-6)
    assert run_tool('-c', device() + 'import torch').returncode != 0  # what keeps torch away does so


@pytest.fixture
def shipped(posed: SimpleNamespace, repo_root: Path, tmp_path: Path) -> Path:
    """A folder as it is copied to a device: the model and the lone module, called otherwise."""
    folder = tmp_path / 'shipped'
    folder.mkdir()
    shutil.copy(posed.file, folder / 'model.onnx')
    (folder / 'metadata.json').write_text(json.dumps(describe(posed.cfg, 'heatmaps')))
    shutil.copy(repo_root / 'sdpose/deploy/runtime.py', folder / 'pose_runtime.py')
    return folder


def test_the_module_runs_alone(shipped: Path, one_picture: SimpleNamespace, run_tool: Callable):
    program = device('sdpose', 'openvino') + 'sys.path.insert(0, ".")\nfrom pose_runtime import PoseRuntime' + PREDICT
    boxes = json.dumps(one_picture.boxes.tolist())
    done = run_tool('-c', program, '.', one_picture.path, boxes, cwd=shipped, env={'PYTHONPATH': ''}, check=True)
    joints, scores = json.loads(done.stdout)
    np.testing.assert_allclose(joints, one_picture.joints, atol=1e-5)
    np.testing.assert_allclose(scores, one_picture.scores, atol=1e-6)


def test_the_module_is_a_program(shipped: Path, one_picture: SimpleNamespace, run_tool: Callable):
    boxes = [','.join(map(str, box)) for box in one_picture.boxes]
    options = dict(cwd=shipped, env={'PYTHONPATH': ''})
    program = shipped / 'pose_runtime.py'
    done = run_tool(str(program), 'model.onnx', one_picture.path, '--threads', 1, '--boxes', *boxes, **options)
    assert done.returncode == 0 and done.stderr == '', done.stderr
    printed = json.loads(done.stdout)
    assert printed['names'][:2] == ['nose', 'left_eye'] and len(printed['people']) == len(boxes)
    for person, box, joints, scores in zip(
        printed['people'], one_picture.boxes, one_picture.joints, one_picture.scores
    ):
        np.testing.assert_allclose(person['box'], box)
        np.testing.assert_allclose(person['joints'], np.hstack([joints, scores[:, None]]), atol=1e-4)
    outside = run_tool(str(program), '.', one_picture.path, '--boxes=-5,-5,80,90', **options)
    assert [person['box'] for person in json.loads(outside.stdout)['people']] == [[-5, -5, 80, 90]]
    whole = run_tool(str(program), '.', one_picture.path, **options)
    assert [person['box'] for person in json.loads(whole.stdout)['people']] == [[0, 0, 160, 120]]
    for arguments, message in (
        (['model.onnx', 'none.jpg'], 'error: none.jpg does not exist or is no picture'),
        (['model.onnx', one_picture.path, '--boxes', '1,2,3'], 'error: --boxes 1,2,3: give left, top, right, bottom'),
        (['model.onnx', one_picture.path, '--boxes', '500,2,600,9'], 'error: box 0 (counted from 0) lies outside'),
    ):
        done = run_tool(str(program), *arguments, **options)
        assert done.returncode == 2 and done.stdout == ''
        assert done.stderr.startswith(message) and done.stderr.count('\n') == 1


@pytest.mark.parametrize('package, name', [('onnxruntime', 'model.onnx'), ('openvino', 'model.xml')])
def test_a_missing_runtime_is_named(shipped: Path, run_tool: Callable, package: str, name: str):
    (shipped / 'model.xml').touch()
    program = device(package) + (
        'sys.path.insert(0, ".")\nfrom pose_runtime import PoseRuntime\n'
        'try:\n    PoseRuntime(sys.argv[1])\nexcept ValueError as error:\n    print(error)'
    )
    done = run_tool('-c', program, name, cwd=shipped, env={'PYTHONPATH': ''}, check=True)
    assert done.stdout == f'{name} needs the package {package}, which is not installed: pip install {package}\n'


# -- bad input -----------------------------------------

IMAGE = np.zeros((120, 160, 3), np.uint8)
BOX = [10, 10, 60, 100]


@pytest.mark.parametrize(
    'image, boxes, message',
    [
        (None, [BOX], 'the image must be a NumPy array, is NoneType: a file that was not found?'),
        (
            IMAGE[..., 0],
            [BOX],
            r'the image must be \(height, width, 3\) in blue, green, red, its shape is \(120, 160\)',
        ),
        (IMAGE[..., :2], [BOX], r'its shape is \(120, 160, 2\)'),
        (IMAGE.astype(np.float32), [BOX], 'the image must be uint8 with values of 0 to 255, it is float32'),
        (IMAGE[:0], [BOX], r'the image is empty, its shape is \(0, 160, 3\)'),
        (IMAGE, BOX, r'boxes must be \(N, 4\): left, top, right, bottom of each; their shape is \(4,\)'),
        (IMAGE, [[*BOX, 0.9]], r'their shape is \(1, 5\)'),
        (IMAGE, [BOX, BOX[:3]], r'boxes must be \(N, 4\) numbers'),
        (IMAGE, [[0, 0, 10**400, 9]], r'boxes must be \(N, 4\) numbers'),
        (IMAGE, [BOX, [1, 2, float('nan'), 4]], r'box 1 \(counted from 0\) has values that are not finite'),
        (
            IMAGE,
            [BOX, BOX, [5, 5, 5, 9]],
            r'box 2 \(counted from 0\) has no width or no height: \[5.0, 5.0, 5.0, 9.0\]',
        ),
        (IMAGE, [[60, 10, 10, 100]], r'box 0 \(counted from 0\) has no width'),
        (IMAGE, [[160, 10, 200, 100]], r'box 0 \(counted from 0\) lies outside of the image of 160x120: \[160.0'),
        (IMAGE, [[-20, -20, 0, 10]], r'box 0 \(counted from 0\) lies outside'),
    ],
)
def test_a_wrong_picture_or_box_is_named(posed: SimpleNamespace, image: Any, boxes: Any, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        PoseRuntime(posed.file, threads=1).predict(image, boxes)
    assert '\n' not in str(caught.value)


def test_numpys_numbers_and_the_name_of_one_provider_are_taken(posed: SimpleNamespace):
    pose = PoseRuntime(posed.file, np.int64(3), np.int32(1), providers='CPUExecutionProvider')
    assert pose.predict(IMAGE, [BOX] * 4)[0].shape == (4, 17, 2)


def test_nobody_is_no_mistake(posed: SimpleNamespace):
    pose = PoseRuntime(posed.file, threads=1)
    for boxes in ([], np.empty((0, 4))):
        joints, scores = pose.predict(IMAGE, boxes)
        assert joints.shape == (0, 17, 2) and scores.shape == (0, 17)
    joints, _ = pose.predict(IMAGE, [[-30, -30, 400, 20]])  # reaches into the picture
    assert joints.shape == (1, 17, 2)


def test_what_is_no_exported_file_is_named(posed: SimpleNamespace, tmp_path: Path):
    def refused(name: str | Path, message: str, **given: Any) -> None:
        with pytest.raises(ValueError, match=message) as caught:
            PoseRuntime(tmp_path / name, threads=1, **given)
        assert '\n' not in str(caught.value)

    def labelled(name: str, text: str | None) -> str:
        shutil.copy(posed.file, tmp_path / name)
        label_onnx(tmp_path / name, text)
        return name

    good = describe(posed.cfg, 'heatmaps')
    without = {key: value for key, value in good.items() if key != 'padding'}
    refused('none.onnx', 'none.onnx does not exist: name an exported .onnx or .xml file, or its folder')
    (tmp_path / 'model.pth').touch()
    refused('model.pth', 'model.pth ends in .pth: this runtime runs .onnx and OpenVINO .xml files')
    (tmp_path / 'torn.onnx').write_bytes(posed.file.read_bytes()[:5000])
    refused('torn.onnx', 'torn.onnx cannot be loaded, it is damaged or incomplete')
    (tmp_path / 'torn.xml').write_text('<net')
    refused('torn.xml', 'torn.xml cannot be loaded, it is damaged or incomplete')
    refused(labelled('bare.onnx', None), "bare.onnx was not exported by this project: it holds no metadata 'sdpose'")
    refused(labelled('text.onnx', '{'), 'text.onnx: its metadata are no JSON')
    refused(labelled('list.onnx', '[]'), 'list.onnx: its metadata are no JSON object')
    refused(labelled('new.onnx', json.dumps({**good, 'format_version': 2})), 'format_version of its metadata is 2')
    refused(labelled('less.onnx', json.dumps(without)), 'less.onnx: its metadata lack joints, codec, padding or')
    lacking = {**good, 'input': {**good['input'], 'std': None}}
    refused(labelled('std.onnx', json.dumps(lacking)), 'std.onnx: its metadata lack input.std')
    odd = {**good, 'output': dict(kind='masks')}
    refused(labelled('kind.onnx', json.dumps(odd)), "output.kind of its metadata is 'masks', not one of heatmaps,")
    megvii = {**good, 'codec': {**good['codec'], 'type': 'MegviiHeatmap'}}
    refused(labelled('megvii.onnx', json.dumps(megvii)), 'heatmaps of the codec MegviiHeatmap are not decoded here')
    udp = {**good, 'codec': {**good['codec'], 'type': 'UDPHeatmap', 'heatmap_type': 'combined'}}
    refused(labelled('udp.onnx', json.dumps(udp)), 'heatmaps of the codec UDPHeatmap are not decoded here')
    dark = {**good, 'output': dict(kind='simcc'), 'codec': dict(type='SimCCLabel', use_dark=True)}
    refused(labelled('dark.onnx', json.dumps(dark)), 'simcc of the codec SimCCLabel are not decoded here')
    classes = {**good, 'task': 'classes', 'output': dict(kind='classes')}
    refused(labelled('classes.onnx', json.dumps(classes)), 'is a model of classes, not of poses')
    joints = {**good, 'output': dict(kind='joints')}
    refused(labelled('joints.onnx', json.dumps(joints)), 'flip_test=True: .* decodes heatmaps inside', flip_test=True)
    assert not PoseRuntime(tmp_path / 'joints.onnx').flip_test
    refused(labelled('same.onnx', json.dumps(good)), 'batch_size=0 must be a whole number of at least 1', batch_size=0)
    refused('same.onnx', r"providers=\['None'\]: ONNX Runtime has none of them here, it has .*CPU", providers=['None'])
    refused('same.onnx', 'halt=half: give a score between 0 and 1', halt='half')
    (tmp_path / 'empty').mkdir()
    refused('empty', 'empty is a folder with none to run: name the .onnx or .xml file')
    for name in ('openvino', 'onnx'):
        (tmp_path / 'several' / name).mkdir(parents=True)
        (tmp_path / 'several' / name / 'metadata.json').write_text('{}')
    refused('several', 'several is a folder with onnx, openvino to run: name one of them')
    (tmp_path / 'several/metadata.json').write_text('{"file": "older.onnx"}')  # of an export before these two
    refused('several', 'several is a folder with older.onnx, onnx, openvino to run: name one of them')


def test_a_program_without_opencv_says_so(tmp_path: Path):
    (tmp_path / 'cv2.py').write_text("raise ModuleNotFoundError('No module named cv2')\n")
    command = [sys.executable, runtime.__file__, 'a.onnx', 'a.jpg']
    done = subprocess.run(command, env=dict(os.environ, PYTHONPATH=str(tmp_path)), capture_output=True, text=True)
    said = 'error: No module named cv2: pip install numpy opencv-python, and onnxruntime or openvino\n'
    assert (done.returncode, done.stderr) == (2, said)


def test_a_free_batch_stays_free(posed: SimpleNamespace):
    content = onnx.load(str(posed.file))
    assert content.graph.input[0].type.tensor_type.shape.dim[0].dim_param == 'batch'
    assert ExportedFile(posed.file).batch_size == runtime.DYNAMIC_BATCH
