"""UDP without torch: MMPose's crops and joints, and those of a UDP model from its exported file."""

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from mmpose.registry import DATASETS, KEYPOINT_CODECS
from test_runtime_decode import SIZES, maps_of

import sdpose
from sdpose.apis.inference.crop_model import load_checkpoint, load_exported
from sdpose.config.building import build_model
from sdpose.config.options import prepare
from sdpose.deploy import PoseRuntime, runtime
from sdpose.deploy.export import ExportRequest, export
from sdpose.errors import ConfigError


def test_the_matrix_by_hand() -> None:
    """A region 20 wide and 40 high around (50, 30), on 11 x 21 pixels: its corners are the corner pixels' middles."""
    matrix = runtime.udp_warp_matrix(np.float32([50, 30]), np.float32([20, 40]), (11, 21))
    np.testing.assert_array_equal(matrix, np.float32([[0.5, 0, -20], [0, 0.5, -5]]))
    corners = np.float32([[40, 10, 1], [60, 50, 1]]) @ matrix.T
    np.testing.assert_array_equal(corners, [[0, 0], [10, 20]])


def test_crops_are_mmposes_bit_by_bit() -> None:
    rng = np.random.default_rng(4)
    image = rng.integers(0, 256, (333, 517, 3), np.uint8)
    corners = rng.uniform((-60, -60), (500, 320), (100, 2))
    boxes = np.hstack([corners, corners + rng.uniform(1, 400, (100, 2))]).astype(np.float32)
    for size in ((48, 64), (192, 256)):
        steps = (GetBBoxCenterScale(padding=1.25), TopdownAffine(input_size=size, use_udp=True))
        centers, scales = runtime.center_scale(boxes, size, 1.25)
        crops = runtime.crop_people(image, centers, scales, size, runtime.udp_warp_matrix)
        for number, box in enumerate(boxes):
            results: Any = dict(img=image, bbox=box[None])
            for step in steps:
                results = step.transform(results)
            np.testing.assert_array_equal(results['img'], crops[number])


@pytest.mark.parametrize('size, heatmap, kernel', SIZES)
@pytest.mark.parametrize('name', ['peaks', 'noisy', 'border'])
def test_heatmaps_are_decoded_as_mmpose_does(name: str, size: tuple, heatmap: tuple, kernel: int) -> None:
    codec = KEYPOINT_CODECS.build(
        dict(type='UDPHeatmap', input_size=size, heatmap_size=heatmap, sigma=2, blur_kernel_size=kernel)
    )
    maps = np.abs(maps_of(name, heatmap))
    joints, scores = runtime.decode_udp_heatmaps(maps, size, kernel)
    for number, each in enumerate(maps):
        expected, heights = codec.decode(each)
        np.testing.assert_allclose(joints[number], expected[0], rtol=1e-5, atol=2e-3)
        np.testing.assert_array_equal(scores[number], heights[0])


def test_places_and_what_is_no_place() -> None:
    """A joint at a share of the region is decoded at that share of (w, h); nothing positive is nowhere."""
    codec = KEYPOINT_CODECS.build(dict(type='UDPHeatmap', input_size=(192, 256), heatmap_size=(48, 64)))
    shares = np.random.default_rng(1).uniform(0.2, 0.8, (1, 17, 2))
    maps = codec.encode(shares * (191, 255))['heatmaps'][None]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        joints, _ = runtime.decode_udp_heatmaps(maps, (192, 256))
        nowhere, scores = runtime.decode_udp_heatmaps(-maps[:, :1] - 1, (192, 256))
    assert np.abs(joints / (192, 256) - shares).max() * 256 < 0.1
    np.testing.assert_allclose(nowhere[0, 0], [-192 / 47, -256 / 63], rtol=1e-6)
    assert (scores < 0).all()


@pytest.fixture(scope='module')
def udp(posed: SimpleNamespace, repo_root: Path) -> SimpleNamespace:
    """``cfg``, ``config``, ``model``, ``file``: a UDP model that has learned the stick people, and its checkpoint."""
    base = f"'{posed.folder}/tiny.py', '{repo_root}/configs/_base_/recipes/udp.py'"
    config = posed.folder / 'udp.py'
    config.write_text(
        f'_base_ = [{base}]\nuse_udp = True\n'
        'codec = dict(_base_.udp_codec, _delete_=True, input_size=(48, 64), sigma=1, blur_kernel_size=5)\n'
        'model = dict(test_cfg=_base_.udp_test_cfg)\n'
    )
    init_default_scope('mmpose')
    cfg = prepare(str(config))
    torch.manual_seed(3)
    model = build_model(cfg.model)
    model.init_weights()
    pipeline = cfg.test_dataloader.dataset.pipeline
    target = dict(type='GenerateTarget', encoder=cfg.model.head.decoder)
    steps = [*pipeline[:-1], target, dict(type='PackPoseInputs')]
    posed.learn(model, DATASETS.build(dict(cfg.train_dataloader.dataset, pipeline=steps)))
    file = posed.folder / 'udp.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), file)
    return SimpleNamespace(cfg=cfg, config=config, model=model, file=file)


def test_a_file_gives_the_joints_of_the_test_pipeline(udp: SimpleNamespace, tmp_path: Path) -> None:
    (done,) = export(str(udp.config), str(udp.file), str(tmp_path / 'out'), ExportRequest())
    pose = PoseRuntime(done.file, threads=1)
    assert pose.metadata['use_udp'] is True and pose.metadata['codec']['type'] == 'UDPHeatmap'
    assert pose.warp is runtime.udp_warp_matrix and pose.flip_test
    tests = DATASETS.build(udp.cfg.test_dataloader.dataset)
    with torch.no_grad():
        samples = udp.model.test_step(pseudo_collate([tests[number] for number in range(len(tests))]))
    models = [load_checkpoint(str(udp.file), str(udp.config), None, 'cpu'), load_exported(str(done.file), None, None)]
    assert np.mean([sample.pred_instances.keypoint_scores for sample in samples]) > 0.2
    for sample in samples:
        image, box = cv2.imread(sample.img_path), sample.gt_instances.bboxes
        joints, scores = pose.predict(image, box)
        wanted = sample.pred_instances.keypoints
        assert np.abs(joints - wanted).max() < 2e-3 * max(1, np.abs(wanted).max() / 100)
        np.testing.assert_allclose(scores, sample.pred_instances.keypoint_scores, atol=1e-4)
        for model in models:
            (found,) = model.predict([(image, box)], 4)
            assert np.abs(found['keypoints'] - wanted).max() < 2e-3 * max(1, np.abs(wanted).max() / 100)
    metrics = sdpose.test(str(udp.config), str(done.file), work_dir=str(tmp_path / 'test'))
    assert metrics['coco/AP'] == pytest.approx(
        sdpose.test(str(udp.config), str(udp.file), work_dir=str(tmp_path / 'own'))['coco/AP'], abs=1e-6
    )


@pytest.mark.parametrize('runs', ['onnx', 'openvino'])
def test_joints_inside_a_graph(udp: SimpleNamespace, runs: str, tmp_path: Path) -> None:
    """Decoded and averaged inside or by the runtime: the same joints in the picture."""
    requests = (ExportRequest((runs,)), ExportRequest((runs,), outputs='joints', flip_test=True))
    plain, inside = (
        export(str(udp.config), str(udp.file), str(tmp_path / str(number)), request)[0]
        for number, request in enumerate(requests)
    )
    assert inside.report['joints']['judged'] and inside.report['joints']['difference'] < 1e-3
    poses = [PoseRuntime(each.file, threads=1) for each in (plain, inside)]
    assert poses[1].metadata['output']['kind'] == 'joints' and poses[1].warp is runtime.udp_warp_matrix
    tests = DATASETS.build(udp.cfg.test_dataloader.dataset)
    for number in range(len(tests)):
        sample = tests[number]['data_samples']
        image, box = cv2.imread(sample.img_path), sample.gt_instances.bboxes
        (wanted, heights), (found, scores) = (pose.predict(image, box) for pose in poses)
        sure = heights > 0.1  # what is no peak moves with the last digit
        assert sure.any() and np.abs(found - wanted)[sure].max() < 2e-3
        np.testing.assert_allclose(scores, heights, atol=1e-5)


def test_rtmlib_does_not_crop_so(udp: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='--outputs simcc: rtmlib does not crop by the rule of UDP'):
        export(str(udp.config), str(udp.file), str(tmp_path / 'out'), ExportRequest(outputs='simcc'))
