"""Visibility and sigmas in exported files: the graph, the metadata, the runtime, the metric, as PyTorch has them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from exported_models import label_onnx
from families import SIZES, TINY, randomize
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.config.nodes import input_size
from sdpose.deploy import PoseRuntime, runtime
from sdpose.deploy.export.formats.onnx import write_onnx
from sdpose.deploy.export.graph import DeployedGraph, flip_of, natural_kind
from sdpose.deploy.export.metadata import describe, flip_indices, joints_of
from sdpose.deploy.export.request import ExportRequest
from sdpose.deploy.exported_model import ExportedModel

BOTH = ('keypoint_visibility', 'keypoint_sigmas')
# Config, options, what stands beside.
MODELS = {
    'heatmaps': (f'sdpose-visibility-tiny{SIZES}', {}, BOTH[:1]),
    'simcc': (TINY['simcc'], {'model.head.visibility': {}}, BOTH[:1]),
    'reg': (TINY['reg'], {'model.head.visibility': {}, 'model.head.report_sigma': True}, BOTH),
    'rle': (TINY['rle'], {'model.head.type': 'SigmaRLEHead'}, BOTH[1:]),
}


def load(name: str) -> tuple[Config, Any]:
    config, options, _ = MODELS[name]
    cfg = load_config(config, options)
    model = build_model(cfg.model).eval()
    randomize(model)
    return cfg, model


def predicted(cfg: Config, model: Any, crops: np.ndarray, flip: bool) -> dict[str, np.ndarray]:
    """What the model itself says of crops (B, h, w, 3), in pixels of them."""
    joints = joints_of(cfg)
    size = input_size(cfg)
    meta = dict(flip_indices=list(flip_indices(joints)), input_size=size, input_scale=np.float32(size))
    samples = [PoseDataSample(metainfo=meta) for _ in crops]
    images = model.data_preprocessor(
        dict(inputs=[torch.from_numpy(crop).permute(2, 0, 1) for crop in crops], data_samples=samples), False
    )['inputs']
    with torch.no_grad():
        feats = [model.extract_feat(view) for view in ([images, images.flip(3)] if flip else [images])]
        config = dict(model.test_cfg, flip_test=flip)
        found = model.head.predict(feats if flip else feats[0], samples, config)
    names = ('keypoints', 'keypoint_scores', *BOTH)
    return {name: np.concatenate([each[name] for each in found]) for name in names if name in found[0]}


def write(cfg: Config, model: Any, kind: str | None, inside: bool, folder: Path) -> tuple[DeployedGraph, Path]:
    joints = joints_of(cfg)
    flip = flip_of(cfg, flip_indices(joints))
    graph = DeployedGraph(model, cfg, kind or natural_kind(model), flip, inside)
    write_onnx(graph, ExportRequest(), folder / 'model.onnx')
    metadata = describe(cfg, 'a.py', graph, flip, joints, None)
    label_onnx(folder / 'model.onnx', json.dumps(dict(metadata, precision='fp32', runtime='onnx', file='model.onnx')))
    return graph, folder / 'model.onnx'


@pytest.mark.parametrize(
    'name, kind, inside, flip',
    [
        ('heatmaps', None, False, True),
        ('heatmaps', 'joints', True, True),
        ('simcc', None, False, True),
        ('reg', None, False, True),
        ('reg', None, True, True),
        ('reg', 'joints', False, False),
        ('rle', None, False, True),
        ('rle', 'joints', True, True),
    ],
)
def test_a_file_says_what_the_model_says(name: str, kind: str | None, inside: bool, flip: bool, tmp_path: Path) -> None:
    cfg, model = load(name)
    graph, file = write(cfg, model, kind, inside, tmp_path)
    assert graph.names[2 if graph.kind != 'heatmaps' else 1 :] == MODELS[name][2]
    pose = PoseRuntime(file, threads=1, flip_test=None if inside else flip)
    assert pose.beside == tuple(pose.metadata['output']['beside']) == MODELS[name][2]
    width, height = input_size(cfg)
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (3, height, width, 3), np.uint8)
    found, expected = pose.infer_all(crops), predicted(cfg, model, crops, flip)
    for each in MODELS[name][2]:
        assert expected[each].std() > 1e-3 and found[each].shape == expected[each].shape
        np.testing.assert_allclose(found[each], expected[each], rtol=1e-4, atol=1e-5)
    joints, scores = pose.infer(crops)
    np.testing.assert_array_equal(joints, found['keypoints'])
    np.testing.assert_allclose(scores, expected['keypoint_scores'], rtol=1e-3, atol=1e-4)
    # In a picture: boxes of half the crop's size have sigmas of half as many pixels.
    image = rng.integers(0, 256, (2 * height, 2 * width, 3), np.uint8)
    box = np.float32([0, 0, width / 2, height / 2]) / pose.metadata['padding']
    whole = pose.predict_all(image, [box, box * 2])
    scale = runtime.center_scale(box[None], (width, height), pose.metadata['padding'])[1]
    np.testing.assert_allclose(scale, [[width / 2, height / 2]], rtol=1e-6)
    cropped = pose.infer_all(runtime.crop_people(image, box[None, 2:] / 2, scale, (width, height)))
    for each in MODELS[name][2]:
        factor = 0.5 if each == 'keypoint_sigmas' else 1.0
        np.testing.assert_allclose(whole[each][0], cropped[each][0] * factor, rtol=1e-5)
    assert all(len(values) == 0 for values in pose.predict_all(image, []).values())


def test_nothing_beside_is_nothing_said(tmp_path: Path) -> None:
    cfg = load_config(TINY['reg'])
    model = build_model(cfg.model).eval()
    graph, file = write(cfg, model, None, False, tmp_path)
    assert graph.names == ('keypoints', 'scores') and graph.beside == ()
    pose = PoseRuntime(file)
    assert pose.metadata['output'] == dict(kind='coordinates', names=['keypoints', 'scores']) and pose.beside == ()
    assert set(pose.infer_all(np.zeros((1, 64, 48, 3), np.uint8))) == {'keypoints', 'keypoint_scores'}


def test_a_file_for_rtmlib_has_its_two_outputs_alone() -> None:
    cfg, model = load('heatmaps')
    graph = DeployedGraph(model, cfg, 'simcc', flip_of(cfg, flip_indices(joints_of(cfg))))
    assert graph.names == ('simcc_x', 'simcc_y') and len(graph(torch.zeros(1, 3, 64, 48))) == 2


def test_a_file_in_the_place_of_a_model(tmp_path: Path) -> None:
    cfg, model = load('reg')
    _, file = write(cfg, model, None, False, tmp_path)
    crop = np.random.default_rng(1).integers(0, 256, (1, 64, 48, 3), np.uint8)
    sample = PoseDataSample(metainfo=dict(input_center=np.float32([50, 60]), input_scale=np.float32([96, 64])))
    sample.gt_instances = InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
    (found,) = ExportedModel(str(file))(torch.from_numpy(crop).permute(0, 3, 1, 2), [sample], 'predict')
    expected = predicted(cfg, model, crop, True)
    people = found.pred_instances
    np.testing.assert_allclose(people.keypoint_visibility, expected['keypoint_visibility'], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(people.keypoint_sigmas, expected['keypoint_sigmas'] * [2, 1], rtol=1e-4, atol=1e-4)


def test_a_runtime_that_does_not_know_an_output_says_so(tmp_path: Path) -> None:
    cfg, model = load('reg')
    _, file = write(cfg, model, None, False, tmp_path)
    metadata = json.loads(onnx.load(file).metadata_props[0].value)
    metadata['output']['beside'] = ['keypoint_depth', 'keypoint_sigmas']
    label_onnx(file, json.dumps(metadata))
    with pytest.raises(ValueError, match=r"output.beside of its metadata is \['keypoint_depth', .*pose_runtime.py"):
        PoseRuntime(file)
