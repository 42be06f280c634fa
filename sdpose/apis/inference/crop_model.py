"""A pose model as inference uses it, from a checkpoint or an exported file: crops in, key points out.

Shapes: B crops, K joints, (w, h) the size of a crop in pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

from sdpose.apis.all_cycles import count_cycles
from sdpose.apis.exported import check_agreement
from sdpose.apis.model_zoo import require_device
from sdpose.config.joint_names import joint_names
from sdpose.config.load import check_arguments, load_config
from sdpose.config.nodes import inner_datasets, input_size, split_datasets
from sdpose.converters.publishing import filled_model
from sdpose.deploy.codec import BatchMSRAHeatmap
from sdpose.deploy.export.graph import normalization
from sdpose.deploy.optimize import optimize_for_inference
from sdpose.deploy.runtime import (
    PoseRuntime,
    Warp,
    center_scale,
    crop_people,
    flip_indices,
    in_image,
    normalize,
    udp_warp_matrix,
    warp_matrix,
)
from sdpose.errors import ConfigError, UserError
from sdpose.io.checkpoint import CYCLE_ADAPTER, check_checkpoint_path, weights_of
from sdpose.io.stored_config import stored_config
from sdpose.models.halting import Halting, infer_halting
from sdpose.preflight.metainfo import load_metainfo
from sdpose.structures import SIGMAS
from sdpose.visualization import Skeleton, sides_of

# Steps of a test pipeline that say how a person is cropped, or nothing about it.
_CROPPING = ('GetBBoxCenterScale', 'TopdownAffine')
_NEUTRAL = ('LoadImage', 'LoadCheckedImage', 'PackPoseInputs', 'PackTestInputs')
_ALIKE = {'WindowedAffine': 'TopdownAffine'}  # by another name for the same pixels


@dataclass(frozen=True)
class CropModel:
    """What finds the joints of people in crops.

    Attributes:
        infer: Crops (B, h, w, 3) of 8 bits, blue, green, red, to what is known of their joints, as
            :meth:`PoseRuntime.infer_all` returns it, in pixels of the crops.
        size: (w, h) of a crop.
        padding: How much larger than its box a person's crop is.
        warp: The matrix of a crop, ``warp_matrix`` or ``udp_warp_matrix`` of :mod:`sdpose.deploy.runtime`.
        joints: Their names.
        skeleton: How they are drawn.
        flip_test: Whether mirror images are averaged.
        beside: What is known of joints beside places and scores: ``keypoint_visibility``, ``keypoint_sigmas``.
        done_after: How many people so far were done after each cycle, (C,), where each has cycles as it needs them;
            else None.
    """

    infer: Callable[[np.ndarray], dict[str, np.ndarray]]
    size: tuple[int, int]
    padding: float
    warp: Warp
    joints: tuple[str, ...]
    skeleton: Skeleton
    flip_test: bool
    beside: tuple[str, ...] = ()
    done_after: np.ndarray | None = None

    def predict(self, people: Sequence[tuple[np.ndarray, np.ndarray]], batch_size: int) -> list[dict[str, np.ndarray]]:
        """The joints of the people in several pictures, run together.

        Args:
            people: For each picture its pixels, (H, W, 3) of 8 bits in the order blue, green, red, and boxes (N, 4):
                left, top, right, bottom in pixels.
            batch_size: How many people the model gets at once.

        Returns:
            For each picture ``keypoints`` (N, K, 2) and ``keypoint_sigmas`` (N, K, 2) in its pixels, and
            ``keypoint_scores`` and ``keypoint_visibility`` (N, K); what is in :attr:`beside` is there, the others
            always.
        """
        regions = [center_scale(boxes.astype(np.float32), self.size, self.padding) for _, boxes in people]
        crops = np.concatenate(
            [np.empty((0, self.size[1], self.size[0], 3), np.uint8)]
            + [crop_people(image, *region, self.size, self.warp) for (image, _), region in zip(people, regions)]
        )
        centers, scales = (np.concatenate(each) for each in zip(*regions))
        parts = {name: [np.empty((0, *shape), np.float32)] for name, shape in self.shapes().items()}
        for start in range(0, len(crops), batch_size):
            part = slice(start, start + batch_size)
            found = in_image(self.infer(crops[part]), centers[part], scales[part], self.size)
            for name, values in parts.items():
                values.append(found[name].astype(np.float32))
        ends = np.cumsum([len(boxes) for _, boxes in people])[:-1]
        whole = {name: np.split(np.concatenate(values), ends) for name, values in parts.items()}
        return [dict(zip(whole, each)) for each in zip(*whole.values())]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What is known of a person, by its name, with its shape."""
        count = len(self.joints)
        beside = {name: (count, 2) if name == SIGMAS else (count,) for name in self.beside}
        return dict(keypoints=(count, 2), keypoint_scores=(count,), **beside)


def load_exported(
    path: str,
    config: str | None,
    flip_test: bool | None,
    cfg_options: dict[str, Any] | None = None,
    halting: Halting | None = None,
) -> CropModel:
    """The model of an exported file.

    Args:
        path: The file, or its folder.
        config: The config that it must agree with; None asks for none.
        flip_test: None does as the file's metadata say.
        cfg_options: Overrides of the config.
        halting: When a person is done; None runs the first cycle for everybody.

    Raises:
        UserError: If the file cannot be run, or ``flip_test`` or halting cannot be had.
        ConfigError: If file and config are of two models.
    """
    if halting is not None and halting.by != 'peaks':
        raise UserError(f'halt_by={halting.by!r} is for checkpoints, but {path} is an exported file: it goes by peaks')
    halt = None if halting is None else halting.thresholds[0]
    try:
        runtime = PoseRuntime(path, threads=torch.get_num_threads(), flip_test=flip_test, halt=halt)
    except ValueError as error:
        raise UserError(str(error)) from error
    metadata = runtime.metadata
    if config is not None:
        check_agreement(load_config(config, cfg_options), metadata, path)
    names, pairs = metadata['joints']['names'], metadata['joints']['flip_pairs']
    sides = sides_of(names, flip_indices(len(names), pairs).tolist())
    return CropModel(
        infer=runtime.infer_all,
        size=runtime.size,
        padding=float(metadata['padding']),
        warp=runtime.warp,
        joints=tuple(names),
        skeleton=Skeleton.by_sides(metadata['joints']['skeleton'], sides),
        flip_test=runtime.flip_test,
        beside=runtime.beside,
        done_after=runtime.done_after,
    )


def load_checkpoint(
    path: str,
    config: str | None,
    flip_test: bool | None,
    device: str,
    cfg_options: dict[str, Any] | None = None,
    halting: Halting | None = None,
) -> CropModel:
    """The deployed form of a checkpoint's model.

    Args:
        path: The checkpoint, trained or published.
        config: Its config, a file or a name; None takes the one inside the checkpoint.
        flip_test: None does as the config's ``test_cfg`` says.
        device: Where the model runs, such as ``'cuda:0'``.
        cfg_options: Overrides of the config.
        halting: When a person is done; None runs the deployed cycle for everybody.

    Raises:
        UserError: If the checkpoint is missing, damaged or another model's, the config is none of a top-down pose
            model, or there is no such device.
    """
    require_device(device)
    check_checkpoint_path(path)
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu', logger='silent')
    cfg = _config(config, checkpoint, path, cfg_options)
    padding, warp = _cropping(cfg)
    metainfo = load_metainfo(_test_data(cfg))
    weights = weights_of(checkpoint, path)
    model: Any = filled_model(_for_inference(cfg), weights, path)
    if not hasattr(model, 'head') or getattr(model.head, 'decoder', None) is None:
        raise ConfigError(f'{cfg.filename or path}: {cfg.model.type} is no top-down pose model')
    if flip_test is not None:
        model.test_cfg = {**(model.test_cfg or {}), 'flip_test': flip_test}
    size = input_size(cfg)
    if halting is not None:
        _require_cycles(cfg, model, weights, path, halting)
    optimized = optimize_for_inference(model, every_cycle=halting is not None).to(device)
    predictor = (
        _Predictor(optimized, cfg, metainfo, size, device)
        if halting is None
        else _HaltingPredictor(optimized, cfg, metainfo, size, device, halting)
    )
    return CropModel(
        infer=predictor,
        size=size,
        padding=padding,
        warp=warp,
        joints=tuple(joint_names(metainfo)),
        skeleton=Skeleton.from_metainfo(metainfo),
        flip_test=predictor.flip_test,
        beside=predictor.beside,
        done_after=predictor.done_after,
    )


class _Predictor:
    """A model on whole batches, without a data sample for each person.

    Pixels are normalized by a table of what becomes of each of their 256 values.
    """

    done_after: np.ndarray | None = None

    def __init__(self, model: Any, cfg: Config, metainfo: dict[str, Any], size: tuple[int, int], device: str) -> None:
        self.model, self.device = model, device
        preprocessor = cfg.model.get('data_preprocessor') or {}
        self.swap = preprocessor.get('bgr_to_rgb', False) or preprocessor.get('rgb_to_bgr', False)
        values = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 1, 3)
        table = normalize(values, *normalization(cfg), channel_order='bgr')[0]  # (3, 256, 1)
        self.table = np.ascontiguousarray(table.transpose(1, 2, 0))
        self.flip_test = bool((model.test_cfg or {}).get('flip_test', False))
        self.beside: tuple[str, ...] = tuple(getattr(model.head, 'reports', ()))
        self.sample = PoseDataSample(metainfo=dict(flip_indices=metainfo['flip_indices'], input_size=size))

    @torch.inference_mode()
    def __call__(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        rows = crops.reshape(-1, *crops.shape[2:])  # (B * h, w, 3)
        pixels = cv2.LUT(cv2.cvtColor(rows, cv2.COLOR_BGR2RGB) if self.swap else rows, self.table)
        instances = self._instances(pixels, [self.sample] * len(crops))
        names = ('keypoints', 'keypoint_scores', *self.beside)
        found = {name: np.concatenate([each[name] for each in instances]) for name in names}
        return dict(found, keypoints=found['keypoints'][..., :2])

    def _instances(self, pixels: np.ndarray, samples: list[PoseDataSample]) -> list[InstanceData]:
        """The people in normalized pixels (B * h, w, 3)."""
        views = [pixels, cv2.flip(pixels, 1)] if self.flip_test else [pixels]
        feats = [self.model.extract_feat(self._images(view, len(samples))) for view in views]
        predicted = self.model.head.predict(feats if self.flip_test else feats[0], samples, self.model.test_cfg)
        return predicted[0] if isinstance(predicted, tuple) else predicted  # the other are heatmaps

    def _images(self, rows: np.ndarray, count: int) -> Tensor:
        """(B * h, w, 3) -> (B, 3, h, w), channels last in memory."""
        return torch.from_numpy(rows.reshape(count, -1, *rows.shape[1:])).to(self.device).permute(0, 3, 1, 2)


class _HaltingPredictor(_Predictor):
    """A model with all its cycles, of which each person gets as many as a rule says."""

    def __init__(
        self, model: Any, cfg: Config, metainfo: dict[str, Any], size: tuple[int, int], device: str, halting: Halting
    ) -> None:
        super().__init__(model, cfg, metainfo, size, device)
        self.halting = halting
        self.done_after: np.ndarray = np.zeros(model.neck.num_cycles, int)

    def _instances(self, pixels: np.ndarray, samples: list[PoseDataSample]) -> list[InstanceData]:
        instances, depths = infer_halting(self.model, self._images(pixels, len(samples)), samples, self.halting)
        self.done_after += np.bincount(depths.numpy() - 1, minlength=len(self.done_after))
        return instances


def _require_cycles(cfg: Config, model: Any, weights: Mapping[str, Tensor], path: str, halting: Halting) -> None:
    """Refuse halting where a model has nothing to choose from.

    Raises:
        ConfigError: If the model has too few cycles for the rule, or the checkpoint was published without what the
            later ones need.
    """
    try:
        halting.require_fit(count_cycles(cfg, 'halt'))
    except ValueError as error:
        raise ConfigError(f'halt: {error}') from error
    if any(key.startswith(CYCLE_ADAPTER) and key not in weights for key in model.state_dict()):
        raise ConfigError(
            f'halt: {path} was published without its cycle adapters, which the cycles behind the first one need: take '
            'the checkpoint of the training'
        )


def _config(config: str | None, checkpoint: Any, path: str, cfg_options: dict[str, Any] | None) -> Config:
    """The config that is named, or the checkpoint's own, in which options are merged key by key."""
    if config is not None:
        return load_config(config, cfg_options)
    init_default_scope('mmpose')
    cfg = stored_config(checkpoint, path)
    if cfg_options:
        cfg.merge_from_dict(cfg_options)
        check_arguments(cfg.to_dict())
    return cfg


def _for_inference(cfg: Config) -> Config:
    """The config without what only training needs, and with the decoder that takes a whole batch.

    Its joints are those of MMPose's within 1e-4 pixels of the crop.
    """
    cfg = Config(cfg.to_dict(), filename=cfg.filename)
    if 'distiller' in cfg.model:
        cfg.model.distiller = None
    decoder = (cfg.model.get('head') or {}).get('decoder') or {}
    if decoder.get('type') == 'MSRAHeatmap':
        decoder['type'] = BatchMSRAHeatmap.__name__
    return cfg


def _test_data(cfg: Config) -> dict[str, Any]:
    """The config of the first data set of the test data that reads files itself.

    Raises:
        ConfigError: If there is none.
    """
    for split in ('test', 'val'):
        for dataset in split_datasets(cfg, split):
            if not inner_datasets(dataset):
                return dataset
    raise ConfigError(f'{cfg.filename or "the config"} has no test_dataloader, which says how people are cropped')


def _cropping(cfg: Config) -> tuple[float, Warp]:
    """Padding of the boxes and matrix of the crops, by a config's test pipeline.

    Raises:
        ConfigError: If a step of the pipeline does anything else.
    """
    padding, udp = 1.25, False
    steps = [
        {**step, 'type': _ALIKE.get(step.get('type'), step.get('type'))}
        for step in _test_data(cfg).get('pipeline') or ()
    ]
    where = f'{cfg.filename or "the config"}: the test pipeline'
    missing = [name for name in _CROPPING if name not in [step.get('type') for step in steps]]
    if missing:
        raise ConfigError(f'{where} has no {" and no ".join(missing)}: this is no top-down pose model')
    for step in steps:
        if step.get('type') == 'GetBBoxCenterScale':
            padding = float(step.get('padding', 1.25))
        elif step.get('type') == 'TopdownAffine':
            udp = step.get('use_udp', False)
        elif step.get('type') not in _NEUTRAL:
            raise ConfigError(
                f'{where} has the step {step.get("type")}, but people are cropped here by {" and ".join(_CROPPING)} '
                'alone: use mmpose.apis.inference_topdown'
            )
    return padding, udp_warp_matrix if udp else warp_matrix
