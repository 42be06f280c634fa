"""What a model is fed: samples of a config's data as its pipeline makes them, with their targets, on one page."""

import contextlib
import io
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from sdpose.config.building import building
from sdpose.config.nodes import Above, iter_leaves
from sdpose.config.options import prepare
from sdpose.errors import ConfigError, UserError
from sdpose.io.pictures import read_picture, write_png
from sdpose.models.data_preprocessors.heatmap_data_preprocessor import draw_heatmaps
from sdpose.models.data_preprocessors.warp import warp
from sdpose.preflight.crop_cache import check_crop_caches
from sdpose.preflight.datasets import check_datasets
from sdpose.preflight.metainfo import load_metainfo
from sdpose.visualization import Skeleton, contact_sheet
from sdpose.visualization.panel import draw_panel, window_of

from .inspection.crop import denormalized

_SIDE, _GAP, _MOST = 300, 6, 200
_BOX = (60, 60, 230)
_NO_LIMBS = Skeleton((), (), ())


def browse_dataset(
    config: str,
    out: str | Path,
    split: str = 'train',
    count: int = 8,
    times: int = 2,
    seed: int = 0,
    cfg_options: dict[str, Any] | None = None,
) -> Path:
    """Draw evenly spaced samples of a config's data, a row each, as one PNG.

    A row begins with the picture and its annotation; then follow, ``times`` times with fresh randomness, the crop that
    the pipeline makes of it with its joints, and its target; or the image of a class.

    Args:
        config: A config file, or the name of one of the package's configs.
        out: PNG to write.
        split: ``'train'``, ``'val'`` or ``'test'``, whose pipeline and data are taken.
        count: Number of samples.
        times: How often each is drawn.
        seed: Of the augmentation; the same one gives the same page.
        cfg_options: Overrides of the config, such as ``data_root``.

    Returns:
        ``out``.

    Raises:
        UserError: If an option is out of its range, the config has no such data, or files are missing or wrong.
    """
    for name, value in {'--count': count, '--times': times}.items():
        if not 1 <= value <= _MOST:
            raise UserError(f'{name} {value}: give 1 to {_MOST}')
    cfg = prepare(config, cfg_options=cfg_options)
    if not (cfg.get(f'{split}_dataloader') or {}).get('dataset'):
        raise ConfigError(f'{config} has no {split}_dataloader, so there are no such data')
    check_datasets(cfg, (split,))
    check_crop_caches(cfg, (split,))
    init_default_scope('mmpose')
    leaves = list(iter_leaves(cfg[f'{split}_dataloader'].dataset))
    panels: list[np.ndarray] = []
    for share, (leaf, above) in zip(np.array_split(np.arange(count), len(leaves)), leaves):
        panels += _rows(leaf, above, len(share), times, seed)
    columns = len(panels) // count
    write_png(out, contact_sheet(panels, columns * (_SIDE + _GAP) + _GAP, _GAP, columns))
    return Path(out)


def _rows(leaf: dict[str, Any], above: Above, count: int, times: int, seed: int) -> list[np.ndarray]:
    """The panels of some evenly spaced samples of a data set that reads files, as many for each.

    The pipeline, with the steps of what wraps the data set, ends before samples are packed: there, it can still be seen
    what each step has done.
    """
    parts = (leaf, *above.wrappers)
    steps = [step for part in parts for step in part.get('pipeline') or ()]
    steps = [step for step in steps if not str(step.get('type')).startswith('Pack')]
    with building(), contextlib.redirect_stdout(io.StringIO()):  # COCO's reader prints
        dataset: Any = DATASETS.build({**leaf, 'pipeline': steps})
    is_pose = hasattr(dataset, 'get_data_info')
    skeletons = _skeletons(parts) if is_pose else {}
    panels = []
    for place in np.linspace(0, len(dataset) - 1, count).round().astype(int).tolist():
        panels.append(_annotated(dataset.get_data_info(place), skeletons) if is_pose else _picture(dataset, place))
        for turn in range(times):
            _seed(seed, place, turn)
            results = dataset[place]
            panels += _pose_panels(results, skeletons) if is_pose else [_class_panel(results, steps)]
    return panels


def _seed(*words: int) -> None:
    """Seed what transforms draw from."""
    number = int(np.random.SeedSequence(words).generate_state(1)[0])
    np.random.seed(number)
    random.seed(number)
    torch.manual_seed(number)


def _skeletons(parts: Sequence[dict[str, Any]]) -> dict[int, Skeleton]:
    """The skeletons of a data set and of what wraps it, by their number of joints: a step may convert them."""
    metainfos = [load_metainfo(part) for part in reversed(parts) if part is parts[0] or part.get('metainfo')]
    return {info['num_keypoints']: Skeleton.from_metainfo(info) for info in metainfos}


def _annotated(info: dict[str, Any], skeletons: dict[int, Skeleton]) -> np.ndarray:
    """A picture around a person, with box and joints as annotated."""
    image = read_picture(info['img_path'])
    left, top, right, bottom = np.asarray(info['bbox'], float).reshape(-1)[:4]
    corners = np.array([[left, top, 1], [right, bottom, 1]])
    line = max(1, round(max(right - left, bottom - top) / 150))
    first, second = np.rint(corners[:, :2]).astype(int).tolist()
    cv2.rectangle(image, first, second, _BOX, line)
    person = _person(info.get('keypoints'), info.get('keypoints_visible'))
    skeleton = skeletons.get(len(person), _NO_LIMBS)
    name = Path(info['img_path']).name
    return draw_panel(image, window_of([corners], [0.5], image.shape), [person], skeleton, name, _SIDE)


def _pose_panels(results: dict[str, Any], skeletons: dict[int, Skeleton]) -> list[np.ndarray]:
    """The crop with its joints, and its target: heatmaps, or the joints that a regression learns."""
    results = _completed(results)
    crop = results['img']
    window = 0, 0, crop.shape[1], crop.shape[0]
    visible = results.get('keypoint_weights', results.get('keypoints_visible'))
    person = _person(results.get('transformed_keypoints'), visible)
    skeleton = skeletons.get(len(person), _NO_LIMBS)
    panels = [draw_panel(crop, window, [person], skeleton, _done(results), _SIDE)]
    if (maps := results.get('heatmaps')) is not None:
        caption = f'target: maximum of {len(maps)} heatmaps {maps.shape[2]}x{maps.shape[1]}'
        return [*panels, draw_panel(_over(crop, maps.max(axis=0)), window, [], skeleton, caption, _SIDE)]
    labels = results.get('keypoint_labels')
    if labels is None:
        return [*panels, draw_panel(crop, window, [], skeleton, 'no target', _SIDE)]
    target = _person(labels * [crop.shape[1], crop.shape[0]], visible)
    return [*panels, draw_panel(crop, window, [target], skeleton, 'target: coordinates over the size', _SIDE)]


def _completed(results: dict[str, Any]) -> dict[str, Any]:
    """A sample with what its pipeline leaves to the model's preprocessor: the crop, the heatmaps."""
    results = dict(results)
    if 'input_matrix' in results:
        part, matrix = torch.from_numpy(results['img']).permute(2, 0, 1), results['input_matrix'][None]
        crop = warp([part], matrix, results['input_size'], torch.device('cpu'))[0]  # (3, H, W)
        results['img'] = np.ascontiguousarray(crop.round().byte().permute(1, 2, 0).numpy())
    if 'heatmap_joints' in results:
        joints = torch.from_numpy(results['heatmap_joints'])
        results['heatmaps'] = draw_heatmaps(joints, results['heatmap_plan'][0])[0].numpy()  # (K, H, W)
    return results


def _person(places: Any, visible: Any) -> np.ndarray:
    """(K, 3): x, y and 2 for a labelled joint; none where the data have no joints."""
    if places is None:
        return np.zeros((0, 3))
    places = np.asarray(places, float).reshape(-1, np.shape(places)[-1])[:, :2]
    flags = np.ones(len(places)) if visible is None else np.asarray(visible, float)
    flags = (flags[..., 0] if flags.ndim == 3 else flags).reshape(-1)
    return np.column_stack([places, 2 * (flags > 0)])


def _done(results: dict[str, Any]) -> str:
    """What the random steps have done to a person."""
    said = ['flipped'] if results.get('flip') else []
    turned = float(np.ravel(results.get('bbox_rotation', 0))[0])
    said += [f'turned by {turned:.0f} deg'] if abs(turned) >= 0.5 else []
    return ', '.join(said) or 'not flipped, not turned'


def _over(crop: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A map (H, W) from 0 to 1 over a crop."""
    large = cv2.resize(values, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR).clip(0, 1)
    colors = cv2.applyColorMap((255 * large).astype(np.uint8), cv2.COLORMAP_TURBO)
    return cv2.addWeighted(crop, 0.45, colors, 0.55, 0)


def _picture(dataset: Any, place: int) -> np.ndarray:
    """A picture of a class."""
    path, label = dataset.samples[place]
    image = read_picture(path)
    return draw_panel(image, (0, 0, image.shape[1], image.shape[0]), [], _NO_LIMBS, dataset.classes[label], _SIDE)


def _class_panel(results: dict[str, Any], steps: Sequence[dict[str, Any]]) -> np.ndarray:
    """The image that the model gets, and its label."""
    crop = np.ascontiguousarray(denormalized(results['img'], steps)[..., ::-1])
    height, width = crop.shape[:2]
    caption = f'target: class {results["gt_label"]}, {width}x{height}'
    return draw_panel(crop, (0, 0, width, height), [], _NO_LIMBS, caption, _SIDE)
