"""The graph that is exported, its decoding, its metadata, and what refuses a file."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from families import FULL, TINY, family, outputs, pictures
from mmpose.models.utils.tta import flip_vectors
from mmpose.registry import KEYPOINT_CODECS
from mmpose.testing import get_packed_inputs

from sdpose.config.load import load_config
from sdpose.config.nodes import input_size
from sdpose.deploy.export import ExportRequest, export
from sdpose.deploy.export.accuracy import Scored, line
from sdpose.deploy.export.decoding import HeatmapDecoder, one_hot
from sdpose.deploy.export.formats import BY_NAME, Session
from sdpose.deploy.export.formats.base import full_batches
from sdpose.deploy.export.formats.onnx import OnnxFormat, write_onnx
from sdpose.deploy.export.formats.openvino import OpenVinoFormat
from sdpose.deploy.export.graph import NAMES, DeployedGraph, flip_of, mirror, natural_kind
from sdpose.deploy.export.int8 import products_of_activations
from sdpose.deploy.export.judge import Decoder, _steady, require_parity, run_batches, run_graph
from sdpose.deploy.export.metadata import describe, digest, flip_indices, joints_of
from sdpose.deploy.export.request import NEWEST_OPSET, OLDEST_OPSET
from sdpose.deploy.runtime import PoseRuntime, decode_simcc
from sdpose.errors import ConfigError, MismatchError, UserError
from sdpose.preflight.metric_names import to_per_cent

CODEC = dict(type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2, blur_kernel_size=11)


def graph_of(name: str, kind: str | None = None, inside: bool = False, **options: Any) -> tuple[Any, Any, Any]:
    """The graph of a tiny family, or of a config, with random weights, its model and its config."""
    config = TINY.get(name, name)
    model, _ = family(config, **options)
    cfg = load_config(config, options)
    joints = joints_of(cfg)
    flip = flip_of(cfg, flip_indices(joints))
    return DeployedGraph(model, cfg, kind or natural_kind(model), flip, inside), model, cfg


def peaks(count: int) -> torch.Tensor:
    """Noisy Gaussians (1, count, 64, 48), also at and beyond the border, and a map of nothing."""
    rng = np.random.default_rng(4)
    place = rng.uniform(-2, [50, 66], (count, 2))
    place[:4] = [[0, 0], [47, 63], [1.4, 30], [23, 62.2]]
    y, x = np.mgrid[:64, :48]
    maps = np.exp(-((x - place[:, 0, None, None]) ** 2 + (y - place[:, 1, None, None]) ** 2) / 8)
    maps = maps * rng.uniform(0.2, 1, (count, 1, 1)) + rng.normal(0, 1e-3, maps.shape)
    maps[-1] = -0.1
    return torch.from_numpy(maps[None].astype(np.float32))


@pytest.mark.parametrize('unbiased', [True, False])
def test_decoding_inside_is_the_codecs(unbiased: bool) -> None:
    maps = peaks(60)
    codec = dict(CODEC, unbiased=unbiased)
    wanted, scores = KEYPOINT_CODECS.build(codec).decode(maps[0].numpy())
    joints, found = HeatmapDecoder(codec)(maps)
    assert np.abs(joints[0].numpy() - wanted[0]).max() < 5e-5  # float32 resolves 1.5e-5 at 192
    assert np.array_equal(found[0].numpy(), scores[0])
    assert (joints[0, -1] == torch.tensor([-4.0, -4.0])).all()  # nothing found, as MMPose says it


def test_decoding_of_udp_inside_is_the_codecs() -> None:
    maps = peaks(60)
    codec = dict(CODEC, type='UDPHeatmap')
    wanted, scores = KEYPOINT_CODECS.build(codec).decode(maps[0].numpy())
    joints, found = HeatmapDecoder(codec)(maps)
    assert np.abs(joints[0].numpy() - wanted[0])[:-1].max() < 2e-4  # also at the border
    assert np.array_equal(found[0].numpy(), scores[0])
    nowhere = torch.tensor([-192 / 47, -256 / 63])
    assert torch.allclose(joints[0, -1], nowhere) and torch.allclose(torch.tensor(wanted[0, -1]).float(), nowhere)


@pytest.mark.parametrize(
    'codec', [dict(CODEC, type='MegviiHeatmap'), dict(CODEC, type='UDPHeatmap', heatmap_type='combined')]
)
def test_another_codec_is_not_decoded_inside(codec: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f'the codec {codec["type"]} is not decoded inside a graph'):
        HeatmapDecoder(codec)


def test_vectors_of_one_cell() -> None:
    joints = torch.tensor([[[10.2, 3.4], [-5.0, 99.0]]])
    x, y = one_hot(joints, torch.tensor([[0.5, 0.25]]), (48, 64))
    assert x.shape == (1, 2, 96) and y.shape == (1, 2, 128)
    assert x[0, 0, 20] == 0.5 and y[0, 0, 7] == 0.5 and x[0].count_nonzero() == 2
    assert x[0, 1, 0] == 0.25 and y[0, 1, 127] == 0.25  # outside: the last cell


@pytest.mark.parametrize('name', ['sdpose', 'evit', 'reg', 'ikd', 'rle'])
def test_the_flip_test_inside_is_the_projects(name: str) -> None:
    graph, model, cfg = graph_of(name, inside=True)
    width, height = input_size(cfg)
    inputs = get_packed_inputs(
        2, num_keypoints=17, img_shape=(height, width), input_size=(width, height), heatmap_size=(12, 16)
    )
    model.test_cfg.update(output_heatmaps=True)
    data = model.data_preprocessor(inputs, False)
    for sample in data['data_samples']:
        sample.set_metainfo(dict(flip_indices=list(graph.flip.indices)))
    with torch.no_grad():
        found = [value.numpy() for value in graph(data['inputs'])]
        samples = model.predict(data['inputs'], data['data_samples'])
    for number, sample in enumerate(samples):
        if graph.kind == 'heatmaps':
            wanted = sample.pred_fields.heatmaps.numpy()
            assert np.abs(found[0][number] - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max())
        else:
            meta = sample.metainfo
            place = found[0][number] * meta['input_scale'] + meta['input_center'] - 0.5 * meta['input_scale']
            assert np.abs(place - sample.pred_instances.keypoints[0]).max() < 1e-3 * max(1, np.abs(place).max())
            assert np.abs(found[1][number] - sample.pred_instances.keypoint_scores[0]).max() < 1e-5


@pytest.mark.parametrize('name', TINY)
def test_the_graph_answers_as_the_model(name: str) -> None:
    graph, model, cfg = graph_of(name)
    image = pictures(input_size(cfg)[::-1])
    wanted = outputs(model, image)
    with torch.no_grad():
        found = graph(image)
    assert len(found) == len(NAMES[graph.kind]) == len(graph.names)
    if name == 'rle':
        wanted = [wanted[0][..., :2], 1 - wanted[0][..., 2:].sigmoid().mean(dim=-1)]
    elif name in ('reg', 'distilpose'):
        wanted = [wanted[0], wanted[1][..., 0]]
    for one, other in zip(wanted, found):
        assert (one - other).abs().max() <= 1e-5 * max(1, one.abs().max())


def test_a_file_for_rtmlib_takes_what_rtmlib_gives() -> None:
    """It normalizes a BGR picture by the mean and deviation of RGB in their order."""
    graph, _, _ = graph_of('sdpose', 'simcc')
    plain, _, _ = graph_of('sdpose', 'joints')
    rgb = torch.randint(0, 256, (1, 3, 64, 48), generator=torch.Generator().manual_seed(2)).float()
    mean, std = (torch.tensor(v)[:, None, None] for v in ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]))
    with torch.no_grad():
        joints, scores = plain((rgb - mean) / std)
        x, y = graph((rgb.flip(1) - mean) / std)
    cells = torch.stack([x.argmax(dim=-1), y.argmax(dim=-1)], dim=-1) / 2
    inside = ((joints > 0) & (joints < torch.tensor([47.0, 63.0]))).all(dim=-1)
    assert (cells - joints)[inside].abs().max() <= 0.2501 and inside.sum() > 5
    assert torch.allclose(x.amax(dim=-1), scores, atol=1e-5)
    images = ((rgb - mean) / std).numpy()
    assert np.abs(graph.arranged(images) - ((rgb.flip(1) - mean) / std).numpy()).max() < 1e-5


def test_coordinates_without_a_positive_score_keep_their_places_for_rtmlib() -> None:
    plain, _, cfg = graph_of('distilpose')
    vectors, _, _ = graph_of('distilpose', 'simcc')
    for graph in (plain, vectors):
        graph.model.head.mlp[-1].bias[2] = -5  # the score, as far below zero as a joint's that is not seen
    image = pictures((64, 48))
    coords, scores = (value.numpy() for value in plain(image))
    found = [value.numpy() for value in vectors(torch.from_numpy(vectors.arranged(image.numpy())))]
    joints, heights = decode_simcc(*found, input_size(cfg))
    assert (scores < 0).all() and (heights > 0).all() and (heights < 1e-5).all()
    assert np.abs(joints - coords * input_size(cfg)).max() <= 0.25 + 1e-3


def test_simccs_own_vectors_for_rtmlib_and_for_others(tmp_path: Path) -> None:
    """What rtmlib gives has the answer of the file's own program, and that of the file without the option."""
    model, _ = family(TINY['simcc'])
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'weights.pth')
    poses = []
    for asked, order in ((None, 'rgb'), ('simcc', 'bgr')):
        out, request = tmp_path / str(asked), ExportRequest(opset=17, outputs=asked)
        (done,) = export(TINY['simcc'], str(tmp_path / 'weights.pth'), str(out), request)
        poses.append(PoseRuntime(done.file, flip_test=False))
        assert poses[-1].metadata['input']['channel_order'] == order
    crops = np.random.default_rng(2).integers(0, 256, (4, 64, 48, 3), np.uint8)
    (wanted, heights), (found, scores) = (pose.infer(crops) for pose in poses)
    given = (crops.astype(np.float32) - [123.675, 116.28, 103.53]) / [58.395, 57.12, 57.375]  # BGR by numbers of RGB
    x, y = poses[1]._model.run(given.transpose(0, 3, 1, 2).astype(np.float32))
    joints, heights_of_rtmlib = decode_simcc(x, y, (48, 64))
    for places, values in ((found, scores), (joints, heights_of_rtmlib)):
        np.testing.assert_allclose(values, heights, atol=1e-4)
        assert (np.abs(places - wanted).max(axis=-1) < 1e-3).mean() > 0.9  # of noise, equal maxima change places


def test_simccs_own_vectors_are_averaged_with_the_mirror_image() -> None:
    """By a program, as the metadata say, and in the accuracy of a file, as MMPose does."""
    graph, model, cfg = graph_of('simcc')
    joints = joints_of(cfg)
    meta = describe(cfg, TINY['simcc'], graph, graph.flip, joints, None)
    assert meta['flip_test'] == dict(enabled=True, inside=False, shift_heatmap=False, shift_coords=False)
    assert Scored(model, graph, meta['codec'], graph.flip, None).flip == graph.flip
    vectors = tuple(torch.rand(2, 17, cells, generator=torch.Generator().manual_seed(cells)) for cells in (96, 128))
    wanted = flip_vectors(*vectors, flip_indices=list(graph.flip.indices))
    for one, other in zip(wanted, mirror('simcc', vectors, graph.flip, graph.size), strict=True):
        assert torch.equal(one, other)


def test_vectors_that_rtmlib_does_not_read_are_refused() -> None:
    options = {'model.head.decoder.simcc_split_ratio': 3.0}
    model, _ = family(TINY['simcc'], **options)
    cfg = load_config(TINY['simcc'], options)
    flip = flip_of(cfg, flip_indices(joints_of(cfg)))
    assert not DeployedGraph(model, cfg, 'simcc', flip).swap
    message = (
        'rtmlib takes 2 cells per pixel for granted, model.head.decoder.simcc_split_ratio is 3.0; leave the option'
    )
    with pytest.raises(ConfigError, match=message):
        DeployedGraph(model, cfg, 'simcc', flip, rtmlib=True)


def test_metadata_say_what_a_program_needs() -> None:
    graph, model, cfg = graph_of('sdpose', inside=True)
    joints = joints_of(cfg)
    meta = describe(cfg, f'folder/{TINY["sdpose"]}.py', graph, graph.flip, joints, None)
    json.dumps(meta)
    assert meta['config'] == TINY['sdpose'] and meta['task'] == 'pose' and meta['format_version'] == 1
    assert meta['input'] == dict(
        name='image',
        size=[48, 64],
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        channel_order='rgb',
        batch=None,
    )
    assert meta['output'] == dict(kind='heatmaps', names=['heatmaps'])
    assert joints['names'][:3] == ['nose', 'left_eye', 'right_eye'] and [1, 2] in joints['flip_pairs']
    assert len(joints['flip_pairs']) == 8 and len(joints['skeleton']) == 19 and joints['sigmas'][0] == 0.026
    assert meta['codec']['type'] == 'MSRAHeatmap' and meta['codec']['blur_kernel_size'] == 5
    assert meta['padding'] == 1.25 and meta['use_udp'] is False
    assert meta['flip_test'] == dict(enabled=True, inside=True, shift_heatmap=True, shift_coords=False)
    graph, _, cfg = graph_of('deit')
    meta = describe(cfg, 'deit', graph, graph.flip, joints_of(cfg), 1)
    assert meta['task'] == 'classes' and meta['joints'] == {} and meta['codec'] is None
    assert meta['input']['mean'] == pytest.approx([123.675, 116.28, 103.53]) and meta['input']['batch'] == 1


def test_a_digest_names_weights_not_files() -> None:
    weights = {'b': torch.ones(2), 'a': torch.zeros(3)}
    assert digest(weights) == digest(dict(reversed(weights.items()))) != digest({**weights, 'a': torch.ones(3)})


@pytest.mark.parametrize('name, inside', [('sdpose', False), ('ppt', True), ('evit', False), ('reg', True)])
def test_old_opsets_low_ranks_and_free_batches(name: str, inside: bool, tmp_path: Path) -> None:
    import onnx

    kind = 'joints' if inside else None
    graph, _, cfg = graph_of(name, kind, inside)
    file = tmp_path / 'graph.onnx'
    write_onnx(graph, ExportRequest(opset=16), file)
    model = onnx.shape_inference.infer_shapes(onnx.load(file))
    assert [each.version for each in model.opset_import if not each.domain] == [16]
    assert max(len(each.type.tensor_type.shape.dim) for each in model.graph.value_info) <= 4
    session = OnnxFormat().open(file, 'fp32')
    for count in (1, 3):
        image = pictures(input_size(cfg)[::-1], count)
        with torch.no_grad():
            wanted = graph(image)
        found = session.run(image.numpy())
        assert found[0].shape == wanted[0].shape
        limit = 1e-5 if graph.kind != 'joints' or name == 'reg' else 0.05
        assert np.median(np.abs(found[0] - wanted[0].numpy())) < 1e-4
        assert all(np.abs(a - b.numpy()).max() < max(limit, 1e-3) for a, b in zip(found[1:], wanted[1:]))


@pytest.mark.long
@pytest.mark.parametrize('name', FULL)
def test_full_size_models_in_onnx_runtime_and_openvino(name: str, tmp_path: Path) -> None:
    graph, _, cfg = graph_of(FULL[name])
    image = pictures(input_size(cfg)[::-1])
    with torch.no_grad():
        wanted = graph(image)
    for runtime in ('onnx', 'openvino'):
        to = BY_NAME[runtime]
        file = to.write(graph, ExportRequest(opset=17), tmp_path / name, '{}', None)
        found = to.open(file, 'fp32').run(image.numpy())
        assert len(found) == len(wanted)
        assert all(np.abs(a - b.numpy()).max() <= 1e-5 * max(1, b.abs().max()) for a, b in zip(found, wanted))


@pytest.mark.long
@pytest.mark.parametrize('opset', range(OLDEST_OPSET, NEWEST_OPSET + 1))
@pytest.mark.parametrize('name', TINY)
def test_every_opset_holds_every_family(name: str, opset: int, tmp_path: Path) -> None:
    graph, _, cfg = graph_of(name)
    image = pictures(input_size(cfg)[::-1])
    with torch.no_grad():
        wanted = graph(image)
    write_onnx(graph, ExportRequest(opset=opset), tmp_path / 'graph.onnx')
    found = OnnxFormat().open(tmp_path / 'graph.onnx', 'fp32').run(image.numpy())
    assert len(found) == len(wanted)
    assert all(np.abs(a - b.numpy()).max() <= 1e-5 * max(1, b.abs().max()) for a, b in zip(found, wanted))


@pytest.mark.parametrize('opset', [17, 18])
def test_a_file_says_nothing_of_the_machine(opset: int, tmp_path: Path, repo_root: Path) -> None:
    """Torch notes at each operator by which lines of which files it came about."""
    graph, _, _ = graph_of('sdpose')
    file = OnnxFormat().write(graph, ExportRequest(opset=opset), tmp_path / 'model', '{}', None)
    content = file.read_bytes()
    assert not [word for word in (str(repo_root), 'site-packages', '.py', 'DeployedGraph') if word.encode() in content]


def test_attentions_products_are_found_in_every_layer(tmp_path: Path) -> None:
    import onnx

    graph, _, _ = graph_of('sdpose', **{'model.neck.depth': 3})
    write_onnx(graph, ExportRequest(opset=17), tmp_path / 'graph.onnx')
    assert len(products_of_activations(onnx.load(tmp_path / 'graph.onnx'))) == 2 * 3


def test_parity_refuses_and_says_by_how_much() -> None:
    graph, _, _ = graph_of('sdpose')

    def result(difference: float, joint: float | None, largest: float = 1.0) -> dict[str, Any]:
        return dict(outputs=dict(heatmaps=dict(difference=difference, largest=largest)), joints=dict(difference=joint))

    require_parity(result(9e-5, 0.04), graph, 'a.onnx')
    require_parity(result(9e-4, None, largest=10.0), graph, 'a.onnx')
    with pytest.raises(MismatchError, match=r'a.onnx: its heatmaps differ from PyTorch by 1.1e-04, more than 1e-04'):
        require_parity(result(1.1e-4, 0.0), graph, 'a.onnx')
    with pytest.raises(MismatchError, match=r'a joint differs from PyTorch by 0.060 pixels, more than 0.05'):
        require_parity(result(0.0, 0.06), graph, 'a.onnx')
    with pytest.raises(MismatchError):
        require_parity(result(float('nan'), 0.0), graph, 'a.onnx')


def test_joints_of_noise_are_not_judged() -> None:
    decode = Decoder('heatmaps', dict(CODEC, unbiased=True), (192, 256))
    flat = np.random.default_rng(0).normal(0, 1e-7, (1, 40, 64, 48)).astype(np.float32) + 0.5
    maps = np.concatenate([peaks(40).numpy(), flat])
    steady = _steady(decode, [maps], decode([maps])[0])
    assert steady[0, :-1].mean() > 0.8 and steady[1].mean() < 0.2


def test_joints_of_two_peaks_of_one_height_are_not_judged() -> None:
    """Whichever of the two PyTorch takes, another runtime may take the other."""
    decode = Decoder('heatmaps', dict(CODEC, unbiased=True), (192, 256))
    y, x = np.mgrid[:64, :48]
    one, other = (np.exp(-((x - u) ** 2 + (y - v) ** 2) / 8) for u, v in ((12, 12), (36, 50)))
    maps = np.broadcast_to(one + other, (1, 16, 64, 48)).astype(np.float32)
    assert not _steady(decode, [maps], decode([maps])[0]).any()


def test_coordinates_that_float32_does_not_hold_are_not_judged() -> None:
    """At 256 pixels an error of 1e-6 of them is a hundredth of a pixel where they go beyond 39 crops."""
    decode = Decoder('coordinates', None, (192, 256))
    places = np.random.default_rng(0).uniform(-1, 2, (3, 17, 2)).astype(np.float32)
    outputs = [places, np.ones((3, 17), np.float32)]
    assert _steady(decode, outputs, decode(outputs)[0]).all()
    places[1, 4, 0] = -38
    assert _steady(decode, outputs, decode(outputs)[0]).all()
    places[1, 4, 0] = -40
    assert not _steady(decode, outputs, decode(outputs)[0]).any()


def test_a_fixed_batch_is_filled_up() -> None:
    sizes = []

    def run(image: np.ndarray) -> list[np.ndarray]:
        sizes.append(len(image))
        return [image.sum(axis=(1, 2, 3))]

    images = np.arange(5, dtype=np.float32)[:, None, None, None]
    assert run_batches(run, images, 2)[0].tolist() == [0, 1, 2, 3, 4] and sizes == [2, 2, 2]
    assert run_batches(run, images, None)[0].tolist() == [0, 1, 2, 3, 4]


def test_mirrored_coordinates_by_hand() -> None:
    graph, _, _ = graph_of('reg')
    flip = graph.flip._replace(indices=(1, 0), shift_coords=True)
    coords, scores = mirror(
        'coordinates', (torch.tensor([[[0.25, 0.1], [0.5, 0.2]]]), torch.tensor([[0.3, 0.4]])), flip, (50, 60)
    )
    assert torch.allclose(coords, torch.tensor([[[0.48, 0.2], [0.73, 0.1]]]))
    assert torch.allclose(scores, torch.tensor([[0.4, 0.3]]))


def test_the_line_of_accuracy() -> None:
    assert line('coco/AP', 0.71, 0.708, 0.01, 100) == (
        'coco/AP 70.80 against 71.00 in fp32, 1.00% of the joints moved by more than a pixel'
    )
    assert line('coco/AP', 0.02, 0.02, None, 100).startswith('untrained (coco/AP 2.00 in fp32)')
    assert line('mpii/PCK', 88.0, 87.5, None, 1) == 'mpii/PCK 87.50 against 88.00 in fp32'
    assert line('mpii/PCK', 0.964, 0.9, None, 1).startswith('untrained (mpii/PCK 0.96 in fp32)')
    assert line('EPE', 2.5, 2.625, None, None) == 'EPE 2.625 against 2.5 in fp32'


def test_the_unit_of_a_metric() -> None:
    many = [
        dict(type='CocoMetric'),
        dict(type='MpiiMetric'),
        dict(type='TopKAccuracy'),
        dict(type='PCKAccuracy', prefix='pck'),
        dict(type='AUC'),
        dict(type='EPE'),
        dict(type='NME', norm_mode='keypoint_distance'),
    ]
    wanted = {'coco/AP': 100, 'mpii/PCK': 1, 'accuracy/top1': 1, 'pck/PCK': 100, 'AUC': 100, 'EPE': None, 'NME': None}
    assert {name: to_per_cent(name, many) for name in (*wanted, 'own/score')} == {**wanted, 'own/score': None}
    assert to_per_cent('coco-wholebody/AP', [dict(type='CocoWholeBodyMetric')]) == 100


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(formats=('tflite',)), '--format tflite is unknown; choose one of onnx, openvino, ncnn, litert'),
        (dict(formats=('onnx', 'onnx')), 'name each format once'),
        (dict(precision='int4'), '--precision int4 is unknown'),
        (dict(batch=0), '--batch 0: give at least 1, or dynamic'),
        (dict(opset=11), '--opset 11: the heads need operators of opset 13'),
        (dict(outputs='boxes'), '--outputs boxes is unknown'),
    ],
)
def test_a_wrong_option_is_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExportRequest(**options)


def test_what_a_format_lacks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match='--precision bf16: onnx runs here in fp32, fp16, int8'):
        BY_NAME['onnx'].require(ExportRequest(precision='bf16'))
    monkeypatch.setattr('sdpose.deploy.export.formats.base.find_spec', lambda name: None)
    with pytest.raises(
        ConfigError, match='--format litert --precision fp32 needs the package litert-torch: pip install'
    ):
        BY_NAME['litert'].require(ExportRequest(formats=('litert',)))
    with pytest.raises(ConfigError, match='needs the package openvino|needs the package onnx'):
        BY_NAME['openvino'].require(ExportRequest(formats=('openvino',)))
    monkeypatch.setattr('sdpose.deploy.export.formats.base.find_spec', lambda name: name)
    with pytest.raises(ConfigError, match='one image at a time: give --batch 1'):
        BY_NAME['ncnn'].require(ExportRequest(formats=('ncnn',)))


def test_a_head_that_cannot_be_deployed() -> None:
    model, _ = family(TINY['sdpose'])
    model.head = torch.nn.Identity()
    with pytest.raises(ConfigError, match='model.head: Identity cannot be deployed; known are heads of'):
        natural_kind(model)
    with pytest.raises(ConfigError, match='--outputs heatmaps: TokenRegHead predicts coordinates'):
        graph_of('reg', 'heatmaps')
    with pytest.raises(ConfigError, match='--flip-test: outputs of classes are not averaged'):
        graph_of('deit', inside=True)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Random weights of the quick start's SDPose."""
    model, _ = family(TINY['sdpose'])
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'weights.pth')
    return tmp_path / 'weights.pth'


def test_a_file_that_answers_otherwise_is_refused(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is left, and what was there stays."""
    opened = OnnxFormat.open

    def wrong(self: OnnxFormat, file: Path, precision: str) -> Session:
        session = opened(self, file, precision)
        return session._replace(run=lambda image: [value + 0.01 for value in session.run(image)])

    monkeypatch.setattr(OnnxFormat, 'open', wrong)
    out = tmp_path / 'out'
    with pytest.raises(MismatchError, match='its heatmaps differ from PyTorch by 1.0e-02'):
        export(TINY['sdpose'], str(checkpoint), str(out), ExportRequest(opset=17))
    assert sorted(path.name for path in tmp_path.iterdir()) == ['weights.pth']


def test_bad_input_writes_nothing(checkpoint: Path, tmp_path: Path) -> None:
    out, request = tmp_path / 'out', ExportRequest(opset=17)
    with pytest.raises(MismatchError, match='does not fit the model'):
        export(TINY['reg'], str(checkpoint), str(out), request)
    with pytest.raises(UserError, match='does not exist'):
        export(TINY['sdpose'], str(tmp_path / 'none.pth'), str(out), request)
    with pytest.raises(UserError, match='is a file: name a folder'):
        export(TINY['sdpose'], str(checkpoint), str(checkpoint), request)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['weights.pth']


@pytest.mark.parametrize('name, other', [('openvino', '.param'), ('ncnn', '.xml')])
def test_weights_of_another_format_stay(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, other: str
) -> None:
    """OpenVINO and ncnn keep them in a .bin of the same name, and ncnn reads those of the other without a word."""
    monkeypatch.setattr(type(BY_NAME[name]), 'require', lambda *_: None)  # ncnn need not be installed
    out = tmp_path / 'out'
    out.mkdir()
    for suffix in (other, '.bin'):
        (out / f'{TINY["sdpose"]}{suffix}').write_text(suffix)
    request = ExportRequest(formats=(name,), batch=1)
    with pytest.raises(UserError, match=f'holds .*{other}, whose weights are in .*bin, where .*name another folder'):
        export(TINY['sdpose'], str(checkpoint), str(out), request)
    assert {file.suffix: file.read_text() for file in out.iterdir()} == {other: other, '.bin': '.bin'}


def test_images_in_full_batches() -> None:
    images = np.arange(5, dtype=np.float32)[:, None, None, None]
    assert [batch[:, 0, 0, 0].tolist() for batch in full_batches(images, 2)] == [[0, 1], [2, 3], [4, 4]]
    assert [len(batch) for batch in full_batches(images, None)] == [1] * 5


def test_int8_of_a_fixed_batch(tmp_path: Path) -> None:
    """It is calibrated on full batches: a graph of four images takes no single one."""
    graph, _, cfg = graph_of('sdpose')
    images = pictures(input_size(cfg)[::-1], 5).numpy()
    request = ExportRequest(precision='int8', batch=4)
    file = OnnxFormat().write(graph, request, tmp_path / 'a', '{}', images)
    found = run_batches(OnnxFormat().open(file, 'int8').run, images, 4)[0]
    wanted = run_batches(run_graph(graph), images, None)[0]
    assert found.shape == wanted.shape and np.abs(found - wanted).mean() < 0.2 * np.abs(wanted).mean()


def test_a_format_that_does_not_calibrate_says_nothing_of_it(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As LiteRT, whose int8 are weights alone."""
    assert [name for name, each in BY_NAME.items() if not each.calibrates] == ['litert']
    write = OnnxFormat.write

    def weights_alone(self: OnnxFormat, graph: Any, request: ExportRequest, *others: Any) -> Path:
        return write(self, graph, dataclasses.replace(request, precision='fp32'), *others)

    monkeypatch.setattr(OnnxFormat, 'write', weights_alone)
    for calibrates in (True, False):
        monkeypatch.setattr(OnnxFormat, 'calibrates', calibrates)
        request = ExportRequest(opset=17, precision='int8')
        (done,) = export(TINY['sdpose'], str(checkpoint), str(tmp_path / str(calibrates)), request)
        assert ('calibration' in done.report) == calibrates


def test_a_file_is_judged_in_its_precision(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of bf16 is that of fp32: what is judged is a setting of the session."""
    opened, asked = OpenVinoFormat.open, []

    def recorded(self: OpenVinoFormat, file: Path, precision: str) -> Session:
        asked.append(precision)
        return opened(self, file, precision)

    monkeypatch.setattr(OpenVinoFormat, 'open', recorded)
    request = ExportRequest(formats=('openvino',), opset=17, precision='bf16')
    export(TINY['sdpose'], str(checkpoint), str(tmp_path / 'out'), request)
    assert asked == ['bf16']
