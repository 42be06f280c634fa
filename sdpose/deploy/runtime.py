"""Joints of people in a picture from an exported file, without torch: crop, normalize, run, flip test, decode.

One module of NumPy, OpenCV and ONNX Runtime or OpenVINO that imports nothing of the project: the exporter writes it
beside a model as ``pose_runtime.py``, and a device needs nothing but that folder. The arithmetic is MMPose's, bit by
bit but for DARK's refinement (1e-4 pixels); ``sdpose/deploy/README.md`` of the project has it as formulas, with an
example in numbers.

    from pose_runtime import PoseRuntime
    joints, scores = PoseRuntime('model.onnx').predict(image, boxes)

or ``python pose_runtime.py model.onnx picture.jpg --boxes 10,20,110,220``.

Shapes: N people, B crops of a batch, K joints, (w, h) the size of a crop, (W, H) that of a heatmap, in pixels.
"""

import argparse
import json
import math
import sys
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

try:
    import cv2
    import numpy as np
except ModuleNotFoundError as error:
    if __name__ != '__main__':
        raise
    sys.stderr.write(f'error: {error}: pip install numpy opencv-python, and onnxruntime or openvino\n')
    sys.exit(2)

__all__ = [
    'ExportedFile',
    'PoseRuntime',
    'center_scale',
    'crop_people',
    'decode_heatmaps',
    'decode_simcc',
    'decode_udp_heatmaps',
    'find_exported',
    'flip_indices',
    'in_image',
    'mirror_heatmaps',
    'normalize',
    'to_image',
    'udp_warp_matrix',
    'warp_matrix',
]

FORMAT_VERSION = 1  # of the metadata
METADATA_KEY = 'sdpose'  # their name inside a file
METADATA_FILE = 'metadata.json'  # their file beside it
HEATMAP_CODECS = ('MSRAHeatmap', 'BatchMSRAHeatmap')
UDP_CODEC = 'UDPHeatmap'
COORDINATE_CODECS = ('RegressionLabel',)
DYNAMIC_BATCH = 32  # crops at once where the file leaves it free
Warp = Callable[[np.ndarray, np.ndarray, Sequence[int]], np.ndarray]
_TALL = 64  # heatmaps blurred at once, so that they stay in the processor's cache
_LOWEST = np.float32(0.01)  # of a peak's height, what is near it for a window to be enough
_GROWTH = np.float32(60)  # how much an error of rounding may grow there
OUTPUTS = dict(  # their names by kind
    heatmaps=('heatmaps',),
    coordinates=('keypoints', 'scores'),
    joints=('keypoints', 'scores'),
    simcc=('simcc_x', 'simcc_y'),
    classes=('logits',),
)
_SIGMAS = 'keypoint_sigmas'
_BESIDE = ('keypoint_visibility', _SIGMAS)  # values of joints that may follow these outputs
_PRECISIONS = dict(bf16='bf16')  # what OpenVINO computes in; others f32, which it would not choose on every processor
# (dx, dy) of what a refinement of a peak reads: the peak, its neighbours, the next but one, the diagonals.
_OFFSETS = np.array(
    [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [2, 0], [-2, 0], [0, 2], [0, -2], [1, 1], [1, -1], [-1, 1], [-1, -1]]
)

# Slope in x and y, second derivatives in xx, yy and xy, of values there.
_DERIVATIVES = np.zeros((len(_OFFSETS), 5), np.float32)
_DERIVATIVES[[1, 2], 0] = _DERIVATIVES[[3, 4], 1] = 0.5, -0.5
_DERIVATIVES[[5, 0, 6], 2] = _DERIVATIVES[[7, 0, 8], 3] = 0.25, -0.5, 0.25
_DERIVATIVES[9:, 4] = 0.25, -0.25, -0.25, 0.25
_NORM = np.array([0, 0, 1, 1, 2], np.float32)  # sums up the sizes of a matrix of second derivatives


# -- before the model ------------------------------------------------------------------------------


def center_scale(boxes: np.ndarray, size: Sequence[int], padding: float) -> tuple[np.ndarray, np.ndarray]:
    """The regions that are cropped for boxes: padded, and widened to the aspect ratio of the crop.

    Args:
        boxes: (N, 4), float32: left, top, right, bottom in pixels of the picture.
        size: (w, h) of a crop.
        padding: How much larger than the box the region is, 1.25 for a margin of an eighth on each side.

    Returns:
        Centres (N, 2) and sizes (N, 2) of the regions in pixels of the picture, float32.
    """
    centers = (boxes[:, 2:] + boxes[:, :2]) * 0.5
    scales = (boxes[:, 2:] - boxes[:, :2]) * padding
    width, height, aspect = scales[:, :1], scales[:, 1:], size[0] / size[1]
    wide = np.hstack([width, width / aspect])
    return centers, np.where(width > height * aspect, wide, np.hstack([height * aspect, height]))


def warp_matrix(center: np.ndarray, scale: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """The affine matrix (2, 3) from the picture to the crop of one region, float64.

    Up to rounding it is ``[[s, 0, w / 2 - s * x], [0, s, h / 2 - s * y]]`` with ``s = w / region's width`` and the
    region's centre (x, y); the third point stands at a right angle, so only the width counts.

    Args:
        center: (2,), the region's centre in pixels of the picture.
        scale: (2,), its width and height.
        size: (w, h) of the crop.
    """
    x, y, half = float(center[0]), float(center[1]), float(scale[0]) * 0.5
    left = np.float32(x - half)
    there = np.array([[x, y], [left, y], [left, y + (np.float32(x) - left)]], np.float32)
    middle, bottom = size[0] * 0.5, size[1] * 0.5
    here = np.array([[middle, bottom], [0, bottom], [0, bottom + middle]], np.float32)
    return cv2.getAffineTransform(there, here)


def udp_warp_matrix(center: np.ndarray, scale: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """The affine matrix (2, 3) of a region by UDP (arXiv:1911.07524): its edges become the middles of the outer pixels.

    ``[[sx, 0, sx * (width / 2 - x)], [0, sy, sy * (height / 2 - y)]]`` with ``sx = (w - 1) / width`` and
    ``sy = (h - 1) / height``, so that the mirrored region lies where the mirrored crop does.

    Args:
        center: (2,), the region's centre in pixels of the picture.
        scale: (2,), its width and height.
        size: (w, h) of the crop.
    """
    factor = np.array([size[0] - 1, size[1] - 1], np.float32) / np.asarray(scale, np.float32)
    matrix = np.zeros((2, 3), np.float32)
    matrix[[0, 1], [0, 1]] = factor
    matrix[:, 2] = factor * (np.float32(0.5) * scale - center)
    return matrix


def crop_people(
    image: np.ndarray, centers: np.ndarray, scales: np.ndarray, size: Sequence[int], warp: Warp = warp_matrix
) -> np.ndarray:
    """The crops (N, h, w, 3) of regions of a picture, bilinear, black outside of it.

    Args:
        image: (height, width, 3), uint8.
        centers: (N, 2), of the regions, as :func:`center_scale` returns them.
        scales: (N, 2), their sizes.
        size: (w, h) of a crop.
        warp: The matrix of a region: :func:`warp_matrix`, or :func:`udp_warp_matrix` for a model of UDP.
    """
    crops = np.empty((len(centers), size[1], size[0], 3), np.uint8)
    for crop, center, scale in zip(crops, centers, scales):
        cv2.warpAffine(image, warp(center, scale, size), (size[0], size[1]), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def normalize(crops: np.ndarray, mean: Sequence[float], std: Sequence[float], channel_order: str) -> np.ndarray:
    """What the model reads: (pixel - mean) / std in float32, channel by channel.

    Args:
        crops: (B, h, w, 3), blue, green, red of 0 to 255, as OpenCV reads pictures.
        mean: Of each channel, in the model's order.
        std: Of each channel, in the model's order.
        channel_order: ``'rgb'`` or ``'bgr'``, the model's order.

    Returns:
        (B, 3, h, w), float32.
    """
    count, height, width, _ = crops.shape
    images = np.empty((count, 3, height, width), np.float32)
    for channel in range(3):
        source = crops[..., 2 - channel if channel_order == 'rgb' else channel]
        np.subtract(source, np.float32(mean[channel]), out=images[:, channel], dtype=np.float32)
        images[:, channel] /= np.float32(std[channel])
    return images


# -- behind the model ------------------------------------------------------------------------------


def flip_indices(num_joints: int, pairs: Sequence[Sequence[int]]) -> np.ndarray:
    """(K,): which joint of the mirror image each joint is, from the pairs of left and right."""
    order = np.arange(num_joints)
    for left, right in pairs:
        order[left], order[right] = right, left
    return order


def mirror_heatmaps(heatmaps: np.ndarray, order: np.ndarray, shift: bool) -> np.ndarray:
    """Heatmaps of mirrored crops as those of the crops themselves.

    Args:
        heatmaps: (B, K, H, W).
        order: (K,), as :func:`flip_indices` returns it.
        shift: Whether the mirrored maps move one column to the right, the first column staying as it is.

    Returns:
        (B, K, H, W), a new array.
    """
    mirrored = heatmaps[:, order, :, ::-1]
    return np.concatenate([mirrored[..., :1], mirrored[..., :-1]], axis=-1) if shift else mirrored.copy()


def decode_heatmaps(
    heatmaps: np.ndarray, size: Sequence[int], unbiased: bool, blur_kernel_size: int = 11
) -> tuple[np.ndarray, np.ndarray]:
    """Joints from heatmaps: the peak, refined, times (w / W, h / H).

    Args:
        heatmaps: (B, K, H, W), float32.
        size: (w, h) of a crop.
        unbiased: DARK's refinement, by the blurred map's logarithm; else a quarter of a heatmap pixel towards the
            higher neighbours.
        blur_kernel_size: Of that blur, in heatmap pixels, odd.

    Returns:
        Joints (B, K, 2) in pixels of the crop and their scores (B, K), the peaks' heights. A map without a positive
        value gives (-1, -1) of the heatmap.
    """
    height, width = heatmaps.shape[2:]
    maps = np.ascontiguousarray(heatmaps, np.float32).reshape(-1, height, width)  # (B * K, H, W)
    flat = maps.reshape(len(maps), height * width)
    index = flat.argmax(axis=1)
    scores = flat[np.arange(len(flat)), index]
    cells = np.empty((len(flat), 2), int)
    np.divmod(index, width, out=(cells[:, 1], cells[:, 0]))
    cells[scores <= 0] = -1
    with np.errstate(all='ignore'):  # what is not a number stays so
        move = _dark(maps, cells, scores, blur_kernel_size) if unbiased else _quarter(maps, cells)
    factor = (np.array(size) / (width, height)).astype(np.float32)
    joints = (cells.astype(np.float32) + move) * factor
    return joints.reshape(*heatmaps.shape[:2], 2), scores.reshape(heatmaps.shape[:2])


def decode_udp_heatmaps(
    heatmaps: np.ndarray, size: Sequence[int], blur_kernel_size: int = 11
) -> tuple[np.ndarray, np.ndarray]:
    """Joints from heatmaps of UDP: the peak, a Newton step on the blurred map's logarithm, times (w / (W - 1), ...).

    The first and the last cell of a row are the region's edges, so that joints are (w, h) times their share of the
    region, as :func:`to_image` reads them; in pixels of a UDP crop they lie (w - 1) / w of that away from its corner.

    Args:
        heatmaps: (B, K, H, W), float32.
        size: (w, h) of a crop.
        blur_kernel_size: Of the blur, in heatmap pixels, odd.

    Returns:
        Joints (B, K, 2) and their scores (B, K), the peaks' heights. A map without a positive value gives (-1, -1) of
        the heatmap.
    """
    height, width = heatmaps.shape[2:]
    maps = np.ascontiguousarray(heatmaps, np.float32).reshape(-1, height, width)  # (B * K, H, W)
    index = maps.reshape(len(maps), -1).argmax(axis=1)
    scores = maps.reshape(len(maps), -1)[np.arange(len(maps)), index]
    cells = np.stack([index % width, index // width], axis=1)
    with np.errstate(all='ignore'):  # what is not a number stays so
        move = _dark_udp(maps, cells, scores, blur_kernel_size)
    places = np.where((scores <= 0)[:, None], np.float32(-1), cells + move)
    joints = places / np.array([width - 1, height - 1]) * np.array(size)
    return joints.astype(np.float32).reshape(*heatmaps.shape[:2], 2), scores.reshape(heatmaps.shape[:2])


def _dark_udp(maps: np.ndarray, cells: np.ndarray, scores: np.ndarray, kernel: int) -> np.ndarray:
    """UDP's moves (M, 2) of peaks in heatmap pixels, which go up to the border: values beyond it are those at it."""
    near = np.log(np.clip(_blurred_peaks(maps, cells, scores, kernel), np.float32(1e-3), np.float32(50)))
    here, right, left, below, above, _, _, _, _, low_right, _, _, high_left = near.astype(float)
    slope_x, slope_y = 0.5 * (right - left), 0.5 * (below - above)
    tiny = np.finfo(np.float32).eps  # MMPose's, against matrices that cannot be inverted
    xx, yy = right - 2 * here + left + tiny, below - 2 * here + above + tiny
    xy = 0.5 * (low_right - right - below + 2 * here - left - above + high_left)
    found = np.stack([xy * slope_y - yy * slope_x, xy * slope_x - xx * slope_y], axis=1)
    return found / (xx * yy - xy * xy)[:, None]


def _blurred_peaks(maps: np.ndarray, cells: np.ndarray, scores: np.ndarray, kernel: int) -> np.ndarray:
    """The blurred maps (M, H, W), as high as the scores, at :data:`_OFFSETS` around their peaks (M, 2): (13, M).

    A place beyond the border has the value at the border.
    """
    height, width, border = *maps.shape[1:], kernel // 2
    found = np.empty((len(_OFFSETS), len(maps)), np.float32)
    for start in range(0, len(maps), _TALL):
        part = slice(start, start + _TALL)
        # One tall picture: between two maps lie so many black rows that none reaches the other. The black columns are
        # MMPose's: OpenCV rounds a value by where in its row it stands.
        tall = np.zeros((len(maps[part]), height + border, width + 2 * border), np.float32)
        tall[:, :height, border : border + width] = maps[part]
        blurred = cv2.GaussianBlur(
            tall.reshape(-1, width + 2 * border), (kernel, kernel), 0, borderType=cv2.BORDER_CONSTANT
        )
        blurred = blurred.reshape(tall.shape)[:, :height, border : border + width]
        places = np.clip(cells[part, None] + _OFFSETS, 0, (width - 1, height - 1))  # (M, 13, 2)
        near = blurred[np.arange(len(tall))[:, None], places[..., 1], places[..., 0]]  # (M, 13)
        found[:, part] = near.T * (scores[part] / blurred.max(axis=(1, 2)))
    return found


@lru_cache
def _blur_around(kernel: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (S,) of a window around a peak, and weights (S * S, 13) of its pixels in a blur at :data:`_OFFSETS`."""
    reach, half = 2 + kernel // 2, kernel // 2
    weights = cv2.getGaussianKernel(kernel, 0, cv2.CV_32F)[:, 0]
    blur = np.zeros((2 * reach + 1, 2 * reach + 1, len(_OFFSETS)), np.float32)
    for number, (x, y) in enumerate(_OFFSETS + 2):
        blur[y : y + 2 * half + 1, x : x + 2 * half + 1, number] = np.outer(weights, weights)
    return np.arange(-reach, reach + 1), blur.reshape(-1, len(_OFFSETS))


def _near_peaks(maps: np.ndarray, which: np.ndarray, cells: np.ndarray, kernel: int) -> np.ndarray:
    """Blurred maps at :data:`_OFFSETS` around peaks, not scaled: (M, 13), from a window of each map.

    Args:
        maps: (N, H, W).
        which: (M,), the maps that are looked at.
        cells: (M, 2), their peaks.
        kernel: Of the blur.
    """
    height, width = maps.shape[1:]
    window, blur = _blur_around(kernel)
    wanted = cells[:, :, None] + window  # (M, 2, S)
    there = np.minimum(np.maximum(wanted, 0), [[width - 1], [height - 1]])
    inside = wanted == there
    places = ((which * height)[:, None] + there[:, 1])[:, :, None] * width + there[:, None, 0]
    values = maps.reshape(-1).take(places)  # (M, S, S)
    if not inside.all():
        values[~(inside[:, 1, :, None] & inside[:, None, 0])] = 0
    return values.reshape(len(which), len(blur)) @ blur


def _dark(maps: np.ndarray, cells: np.ndarray, scores: np.ndarray, kernel: int) -> np.ndarray:
    """DARK's moves (M, 2) of peaks in heatmap pixels: a Newton step on the logarithm of the blurred map.

    MMPose scales a blurred map to the height of the map before it cuts it off at 1e-10. Without low values near the
    peak the step is the same without the scale, and a window is enough; else the whole map is blurred. So it is where
    rounding would move the step: at low values and at matrices that are nearly singular.
    """
    height, width = maps.shape[1:]
    moves = np.zeros((len(maps), 2), np.float32)
    x, y = cells.T
    which = ((x > 1) & (y > 1) & (x < width - 2) & (y < height - 2)).nonzero()[0]
    near = _near_peaks(maps, which, cells[which], kernel)
    slope_x, slope_y, xx, yy, xy = derivatives = _DERIVATIVES.T @ np.log(near).T
    determinant = xx * yy - xy * xy
    found = np.array([xy * slope_y - yy * slope_x, xy * slope_x - xx * slope_y])
    found /= determinant
    grown = (_NORM @ np.abs(derivatives)) * (1 + np.abs(found).sum(axis=0))  # how errors of the slope grow
    low = np.maximum(_LOWEST * scores[which], 1e-9)
    sure = (near.min(axis=1) > low) & (grown < _GROWTH * np.abs(determinant))
    if sure.all():
        moves[which] = found.T
        return moves
    moves[which[sure]] = found.T[sure]
    again = which[~sure]
    moves[again] = _dark_exactly(maps[again], cells[again], scores[again], kernel)
    return moves


def _dark_exactly(maps: np.ndarray, cells: np.ndarray, scores: np.ndarray, kernel: int) -> np.ndarray:
    """DARK's moves (M, 2) of peaks away from the border, as MMPose computes them, bit by bit."""
    moves = np.zeros((len(maps), 2), np.float32)
    near = np.log(np.maximum(_blurred_peaks(maps, cells, scores, kernel), np.float32(1e-10)))
    here, right, left, below, above, right2, left2, below2, above2, *corners = near
    slope = np.stack([0.5 * (right - left), 0.5 * (below - above)], axis=1)  # (M, 2)
    xx = 0.25 * (right2 - 2 * here + left2)
    yy = 0.25 * (below2 - 2 * here + above2)
    xy = 0.25 * (corners[0] - corners[1] - corners[2] + corners[3])
    solvable = xx * yy - xy**2 != 0
    curvature = np.stack([xx, xy, xy, yy], axis=1).reshape(-1, 2, 2)[solvable]
    moves[solvable] = _newton(curvature, slope[solvable])
    return moves


def _newton(curvature: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Solutions (M, 2) of ``curvature @ move = -slope`` in float32."""
    try:
        return (-np.linalg.inv(curvature) @ slope[..., None])[..., 0]
    except np.linalg.LinAlgError:  # one of them is singular to rounding
        (xx, xy), (_, yy) = curvature.astype(float).transpose(1, 2, 0)
        determinant = xx * yy - xy**2
        determinant[determinant == 0] = np.inf  # no move
        moves = np.stack([xy * slope[:, 1] - yy * slope[:, 0], xy * slope[:, 0] - xx * slope[:, 1]], axis=1)
        return (moves / determinant[:, None]).astype(np.float32)


def _quarter(maps: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Moves (M, 2) of a quarter of a heatmap pixel towards the higher of two neighbours."""
    height, width = maps.shape[1:]
    x, y = cells.T
    number = np.arange(len(maps))
    moves = np.zeros((len(maps), 2), np.float32)
    for axis, inside in enumerate(
        [(1 < x) & (x < width - 1) & (0 < y) & (y < height), (1 < y) & (y < height - 1) & (0 < x) & (x < width)]
    ):
        which, dx, dy = number[inside], 1 - axis, axis
        ahead = maps[which, y[inside] + dy, x[inside] + dx]
        behind = maps[which, y[inside] - dy, x[inside] - dx]
        moves[which, axis] = np.sign(ahead - behind) * np.float32(0.25)
    return moves


def decode_simcc(simcc_x: np.ndarray, simcc_y: np.ndarray, size: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Joints from one vector per axis: the places of the largest values, over the cells per pixel.

    Args:
        simcc_x: (B, K, w * r) with r cells per pixel.
        simcc_y: (B, K, h * r).
        size: (w, h) of a crop.

    Returns:
        Joints (B, K, 2) in pixels of the crop and their scores (B, K), the lower of the two maxima. A joint without a
        positive one lies at cell -1.
    """
    joints = np.stack([simcc_x.argmax(-1), simcc_y.argmax(-1)], axis=-1).astype(np.float32)
    scores = np.minimum(simcc_x.max(-1), simcc_y.max(-1))
    joints[scores <= 0] = -1
    cells = np.array([simcc_x.shape[-1] / size[0], simcc_y.shape[-1] / size[1]], np.float32)  # per pixel
    return joints / cells, scores


def to_image(joints: np.ndarray, centers: np.ndarray, scales: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Joints in pixels of the picture.

    Args:
        joints: (B, K, 2) in pixels of the crops.
        centers: (B, 2), of the regions, as :func:`center_scale` returns them.
        scales: (B, 2), their sizes.
        size: (w, h) of a crop.

    Returns:
        (B, K, 2), ``joint / size * scale + center - scale / 2``, computed in float64, in the type of ``joints``.
    """
    centers, scales = centers[:, None].astype(float), scales[:, None].astype(float)
    return (joints / np.array(size, float) * scales + centers - 0.5 * scales).astype(joints.dtype)


def in_image(
    found: dict[str, np.ndarray], centers: np.ndarray, scales: np.ndarray, size: Sequence[int]
) -> dict[str, np.ndarray]:
    """What was found in crops, in pixels of the picture: joints moved and scaled, sigmas scaled, the rest as it is.

    Args:
        found: As :meth:`PoseRuntime.infer_all` returns it.
        centers: (B, 2), of the regions, as :func:`center_scale` returns them.
        scales: (B, 2), their sizes.
        size: (w, h) of a crop.
    """
    result = dict(found, keypoints=to_image(found['keypoints'], centers, scales, size))
    if _SIGMAS in found:
        result[_SIGMAS] = found[_SIGMAS] * (scales / np.array(size)).astype(np.float32)[:, None]
    return result


# -- the file --------------------------------------------------------------------------------------


def find_exported(path: str | Path) -> Path:
    """The exported file that a path means: the file itself, or the one that an export folder's metadata name.

    Raises:
        ValueError: If it is missing, or no file of a kind that runs here.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        if (file / METADATA_FILE).is_file():
            found = [file / str(_parse((file / METADATA_FILE).read_text(encoding='utf-8'), file).get('file'))]
        else:
            found = sorted(each for each in file.iterdir() if each.suffix in _ENGINES)
        inner = sorted(each.parent for each in file.glob(f'*/{METADATA_FILE}'))
        if len(found) != 1 or inner:  # of another export, which is older or newer
            names = ', '.join(each.name for each in [*found, *inner]) or 'none'
            wanted = 'one of them' if inner else 'the .onnx or .xml file'
            raise ValueError(f'{path} is a folder with {names} to run: name {wanted}')
        file = found[0]
    if not file.is_file():
        raise ValueError(f'{file} does not exist: name an exported .onnx or .xml file, or its folder')
    if file.suffix not in _ENGINES:
        raise ValueError(f'{file} ends in {file.suffix or "nothing"}: this runtime runs .onnx and OpenVINO .xml files')
    return file


def _parse(text: str, file: Path) -> dict[str, Any]:
    """The metadata that a text holds."""
    try:
        metadata = json.loads(text)
    except ValueError as error:
        raise ValueError(f'{file}: its metadata are no JSON ({error}): export the model again') from None
    if not isinstance(metadata, dict):
        raise ValueError(f'{file}: its metadata are no JSON object: export the model again')
    return metadata


def _check(metadata: dict[str, Any], file: Path) -> None:
    """Refuse metadata that are of another format or incomplete."""
    version = metadata.get('format_version')
    if version != FORMAT_VERSION:
        raise ValueError(
            f'{file}: format_version of its metadata is {version!r}, this runtime reads {FORMAT_VERSION}: use the '
            'pose_runtime.py that was written beside the file'
        )
    for key in ('task', 'input.name', 'input.size', 'input.mean', 'input.std', 'input.channel_order', 'output.kind'):
        value: Any = metadata
        for part in key.split('.'):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            raise ValueError(f'{file}: its metadata lack {key}: export the model again')
    kind = metadata['output']['kind']
    if kind not in OUTPUTS:
        raise ValueError(f'{file}: output.kind of its metadata is {kind!r}, not one of {", ".join(OUTPUTS)}')
    beside = metadata['output'].get('beside', [])
    if not set(beside) <= set(_BESIDE):
        raise ValueError(
            f'{file}: output.beside of its metadata is {beside}, this runtime knows {", ".join(_BESIDE)}: use the '
            'pose_runtime.py that was written beside the file'
        )
    if metadata['task'] == 'pose' and not ({'joints', 'codec', 'padding', 'flip_test'} <= metadata.keys()):
        raise ValueError(f'{file}: its metadata lack joints, codec, padding or flip_test: export the model again')


def _require(package: str, file: Path) -> Any:
    """Import a runtime."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'{file} needs the package {error.name}, which is not installed: pip install {package}'
        ) from None


def keep_telemetry_off() -> None:
    """Let OpenVINO, imported after this, take the package that reports its use for not installed.

    Else each import and each conversion forks this process to send a report, and leaves an identity in ``~/intel``.
    """
    sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]  # what import takes for missing


@lru_cache(maxsize=None)
def openvino_core() -> Any:
    """The process's one core of OpenVINO, which is never given back.

    Each moves the stack on which signals are answered. Two that end in the order in which they began leave it in memory
    that is no longer there, and the next signal that Python answers, be it Ctrl-C, ends the process without a word.
    """
    keep_telemetry_off()
    return import_module('openvino').Core()


class _OnnxEngine:
    """A model in ONNX Runtime."""

    def __init__(self, file: Path, threads: int | None, providers: Sequence[str] | None) -> None:
        onnxruntime = _require('onnxruntime', file)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads, options.inter_op_num_threads = int(threads), 1
        chosen = [providers] if isinstance(providers, str) else list(providers or ['CPUExecutionProvider'])
        there = onnxruntime.get_available_providers()
        if not any((each if isinstance(each, str) else each[0]) in there for each in chosen):
            raise ValueError(f'providers={chosen}: ONNX Runtime has none of them here, it has {", ".join(there)}')
        self.session = onnxruntime.InferenceSession(str(file), options, providers=chosen)
        self.text = self.session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)

    def start(self, metadata: dict[str, Any]) -> None:
        """Nothing is left to do."""

    def __call__(self, names: Sequence[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        return self.session.run(list(names), inputs)


class _OpenvinoEngine:
    """A model in OpenVINO."""

    def __init__(self, file: Path, threads: int | None, providers: Sequence[str] | None) -> None:
        if providers:
            raise ValueError(f'providers={list(providers)!r} are of ONNX Runtime, but {file} runs in OpenVINO')
        keep_telemetry_off()
        _require('openvino', file)
        self.core = openvino_core()
        self.model = self.core.read_model(str(file))
        self.threads, self.turn = threads, threading.Lock()
        beside = file.with_name(METADATA_FILE)
        self.text = None
        if self.model.has_rt_info([METADATA_KEY]):
            self.text = self.model.get_rt_info([METADATA_KEY]).astype(str)
        elif beside.is_file():
            self.text = beside.read_text(encoding='utf-8')

    def start(self, metadata: dict[str, Any]) -> None:
        """Compile the model in the precision that it was exported for."""
        options: dict[str, Any] = dict(
            INFERENCE_PRECISION_HINT=_PRECISIONS.get(metadata.get('precision', ''), 'f32'), PERFORMANCE_HINT='LATENCY'
        )
        if self.threads is not None:
            options['INFERENCE_NUM_THREADS'] = int(self.threads)
        self.compiled = self.core.compile_model(self.model, 'CPU', options)

    def __call__(self, names: Sequence[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        with self.turn:  # it has one request, which a second thread may not use meanwhile
            found = self.compiled(list(inputs.values()))
        return [found[self.compiled.output(name)] for name in names]


_ENGINES: dict[str, Any] = {'.onnx': _OnnxEngine, '.xml': _OpenvinoEngine}


class ExportedFile:
    """A file that ``tools/deploy/export.py`` wrote, ready to run on normalized crops.

    Args:
        path: The ``.onnx`` or ``.xml`` file, or the folder that it was exported into.
        batch_size: Crops that are run at once; by default the file's own number, or 32 where it is free.
        threads: Threads of the runtime; by default as many as it likes.
        providers: Execution providers of ONNX Runtime in order of preference; by default the processor.

    Attributes:
        file: The file.
        metadata: What the exporter wrote about the model.
        size: (w, h) of a crop.
        batch_size: Crops that are run at once.

    Raises:
        ValueError: If the file is missing, damaged or was not exported by this project, its runtime is not installed,
            or an argument does not fit the file.
    """

    def __init__(
        self,
        path: str | Path,
        batch_size: int | None = None,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        for name, value in dict(batch_size=batch_size, threads=threads).items():
            if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
                raise ValueError(f'{name}={value!r} must be a whole number of at least 1')
        self.file = find_exported(path)
        try:
            self._engine = _ENGINES[self.file.suffix](self.file, threads, providers)
        except ValueError:
            raise
        except Exception as error:  # each runtime has its own
            reason = ' '.join(str(error).split())
            raise ValueError(f'{self.file} cannot be loaded, it is damaged or incomplete: {reason}') from error
        if self._engine.text is None:
            raise ValueError(
                f'{self.file} was not exported by this project: it holds no metadata {METADATA_KEY!r}; export the '
                'model with tools/deploy/export.py'
            )
        self.metadata = _parse(self._engine.text, self.file)
        _check(self.metadata, self.file)
        self._engine.start(self.metadata)
        self.size = (int(self.metadata['input']['size'][0]), int(self.metadata['input']['size'][1]))
        self._fixed = self.metadata['input'].get('batch')
        if self._fixed and batch_size not in (None, self._fixed):
            raise ValueError(
                f'batch_size={batch_size}: {self.file} was exported for batches of {self._fixed}; leave batch_size out'
            )
        self.batch_size = self._fixed or batch_size or DYNAMIC_BATCH
        output = self.metadata['output']
        self._names = tuple(output.get('names') or OUTPUTS[output['kind']])
        self._inputs = tuple(self.metadata['input'].get('names') or (self.metadata['input']['name'],))

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """The outputs of crops, in the order of the metadata's names, float32.

        Args:
            inputs: (B, 3, h, w), float32, normalized; any number of them, those of a batch are run at once and a batch
                that a file wants full is filled up. Of a further cycle: the state that the one before has left.
        """
        outputs = []
        for start in range(0, len(inputs[0]), self.batch_size):
            batch = [np.ascontiguousarray(each[start : start + self.batch_size], np.float32) for each in inputs]
            count = len(batch[0])
            if self._fixed and count < self._fixed:
                lacking = [np.zeros((self._fixed - count, *each.shape[1:]), np.float32) for each in batch]
                batch = [np.concatenate(each) for each in zip(batch, lacking)]
            found = self._engine(self._names, dict(zip(self._inputs, batch)))
            outputs.append([np.asarray(each, np.float32)[:count] for each in found])
        return [np.concatenate(each) for each in zip(*outputs)]


class PoseRuntime:
    """The joints of people in a picture, from an exported file.

    Threads may share one; OpenVINO runs a batch of one of them at a time.

    Args:
        file: The ``.onnx`` or ``.xml`` file, or the folder that it was exported into.
        batch_size: People that are run at once; by default the file's own number, or 32 where it is free.
        threads: Threads of the runtime; by default as many as it likes.
        flip_test: Whether the mirror image is run, too, and averaged; by default as the file's metadata say. A file
            with joints decoded from heatmaps can average only inside its graph.
        providers: Execution providers of ONNX Runtime in order of preference; by default the processor.
        halt: Run a further cycle, as long as the file has one, for people whose joints have a lower mean score; None
            runs the first for everybody.

    Attributes:
        metadata: What the exporter wrote about the model, such as ``metadata['joints']['names']``.
        size: (w, h) of a crop.
        warp: The matrix of a person's crop, :func:`warp_matrix` or :func:`udp_warp_matrix`.
        flip_test: Whether mirror images are averaged, inside the graph or here.
        beside: What the file says of joints beside places and scores: ``keypoint_visibility``, ``keypoint_sigmas``.
        done_after: How many people so far were done after each cycle, (C,), with ``halt``; else None.

    Raises:
        ValueError: As :class:`ExportedFile`; or the file holds no pose model, a codec that this runtime cannot decode,
            or ``flip_test`` or ``halt`` cannot be had.
    """

    def __init__(
        self,
        file: str | Path,
        batch_size: int | None = None,
        threads: int | None = None,
        flip_test: bool | None = None,
        providers: Sequence[str] | None = None,
        halt: float | None = None,
    ) -> None:
        self._model = ExportedFile(file, batch_size, threads, providers)
        self.metadata, self.size = self._model.metadata, self._model.size
        self._kind: str = self.metadata['output']['kind']
        self.beside: tuple[str, ...] = tuple(self.metadata['output'].get('beside', ()))
        self._codec: dict[str, Any] = self.metadata.get('codec') or {}
        if first := self.metadata.get('continues'):
            raise ValueError(f'{self._model.file} holds a further cycle alone: name {first}, and say halt')
        if self.metadata['task'] != 'pose' or self._kind == 'classes':
            raise ValueError(f'{self._model.file} is a model of {self.metadata["task"]}, not of poses')
        codec = self._codec.get('type')
        known = (*HEATMAP_CODECS, UDP_CODEC)
        odd = codec not in known or self._codec.get('heatmap_type', 'gaussian') != 'gaussian'
        if self._kind == 'heatmaps' and odd or self._codec.get('use_dark'):
            raise ValueError(
                f'{self._model.file}: {self._kind} of the codec {codec} are not decoded here, only those of '
                f'{", ".join(known)} (with Gaussians) and SimCC without DARK: export the model with --outputs joints'
            )
        self.warp: Warp = udp_warp_matrix if self.metadata.get('use_udp') else warp_matrix
        joints = self.metadata['joints']
        self._order = flip_indices(len(joints['names']), joints['flip_pairs'])
        self._flip_here = self._choose_flip(flip_test)
        self.flip_test = self._flip_here or bool(self.metadata['flip_test'].get('inside'))
        self._states = len(self.metadata['output'].get('state', ()))
        self._halt, self._further = halt, None
        self.done_after: np.ndarray | None = None
        if halt is not None:
            self._further = self._open_further(halt, threads, providers)
            self.done_after = np.zeros(self.metadata['further']['cycles'], int)

    def _open_further(self, halt: float, threads: int | None, providers: Sequence[str] | None) -> ExportedFile:
        """The file of the further cycles."""
        further, file = self.metadata.get('further'), self._model.file
        if not isinstance(halt, (int, float, np.number)) or not 0 < halt < 1:
            raise ValueError(f'halt={halt}: give a score between 0 and 1')
        if further is None:
            raise ValueError(f'halt={halt}: {file} holds one cycle: export the model with --cycles')
        return ExportedFile(file.with_name(further['file']), self._model.batch_size, threads, providers)

    def _choose_flip(self, wanted: bool | None) -> bool:
        """Whether mirror images are to be run from here."""
        flip = self.metadata['flip_test']
        if flip.get('inside'):
            if wanted is False:
                raise ValueError(f'flip_test=False: the flip test of {self._model.file} is inside its graph')
            return False
        possible = self._kind != 'joints' or self._codec.get('type') in COORDINATE_CODECS
        if wanted and not possible:
            raise ValueError(
                f'flip_test=True: {self._model.file} decodes heatmaps inside its graph, where the mirror images must '
                'be averaged, too: export it with --flip-test'
            )
        return possible and bool(flip.get('enabled') if wanted is None else wanted)

    def predict(self, image: np.ndarray, boxes: Any) -> tuple[np.ndarray, np.ndarray]:
        """The joints of the people in boxes.

        Args:
            image: (height, width, 3), uint8, blue, green, red, as ``cv2.imread`` returns it.
            boxes: (N, 4): left, top, right, bottom of each person in pixels of the picture.

        Returns:
            Joints (N, K, 2), x and y in pixels of the picture, and scores (N, K).

        Raises:
            ValueError: If the picture is of another kind or empty, or a box holds nothing of it; boxes are counted
                from 0.
        """
        found = self.predict_all(image, boxes)
        return found['keypoints'], found['keypoint_scores']

    def predict_all(self, image: np.ndarray, boxes: Any) -> dict[str, np.ndarray]:
        """All that the file says of the people in boxes; arguments and errors as of :meth:`predict`.

        Returns:
            ``keypoints`` (N, K, 2) and ``keypoint_sigmas`` (N, K, 2) in pixels of the picture, ``keypoint_scores`` and
            ``keypoint_visibility`` (N, K); what is in :attr:`beside` is there, the others always.
        """
        _check_image(image)
        boxes = _checked_boxes(boxes, image.shape)
        centers, scales = center_scale(boxes, self.size, self.metadata['padding'])
        pairs, single = (0, len(self._order), 2), (0, len(self._order))
        shapes = dict(keypoints=pairs, keypoint_scores=single)
        shapes.update((name, pairs if name == _SIGMAS else single) for name in self.beside)
        parts = {name: [np.empty(shape, np.float32)] for name, shape in shapes.items()}
        for start in range(0, len(boxes), self._model.batch_size):
            part = slice(start, start + self._model.batch_size)
            found = self.infer_all(crop_people(image, centers[part], scales[part], self.size, self.warp))
            for name, values in in_image(found, centers[part], scales[part], self.size).items():
                parts[name].append(values)
        return {name: np.concatenate(each) for name, each in parts.items()}

    def infer(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The joints of crops, with the flip test.

        Args:
            crops: (B, h, w, 3), blue, green, red of 0 to 255, as :func:`crop_people` returns them.

        Returns:
            Joints (B, K, 2) in pixels of the crops and scores (B, K).
        """
        found = self.infer_all(crops)
        return found['keypoints'], found['keypoint_scores']

    def infer_all(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """All that the file says of crops, as :meth:`predict_all` names it, in pixels of the crops."""
        settings = self.metadata['input']
        images = normalize(crops, settings['mean'], settings['std'], settings['channel_order'])
        views = [images, images[..., ::-1]] if self._flip_here else [images]
        found, states = self._read([self._model.run(view) for view in views])
        if self._further is not None:
            self._go_on(found, states, self._further)
        return found

    def _go_on(self, found: dict[str, np.ndarray], states: list[list[np.ndarray]], further: ExportedFile) -> None:
        """Run further cycles for those people whose scores are low, and write what these say over ``found``.

        Args:
            found: As :meth:`infer_all` returns it.
            states: Of the crops, and of the mirrored ones, what the first cycle has left.
            further: The file of the others.
        """
        assert self._halt is not None and self.done_after is not None
        people = np.arange(len(found['keypoint_scores']))
        for cycle in range(1, len(self.done_after)):
            stay = found['keypoint_scores'][people].mean(axis=1) < self._halt
            self.done_after[cycle - 1] += len(people) - stay.sum()
            people = people[stay]
            if not len(people):
                return
            later, states = self._read([further.run(*(each[stay] for each in state)) for state in states])
            for name, values in later.items():
                found[name][people] = values
        self.done_after[-1] += len(people)

    def _read(self, views: list[list[np.ndarray]]) -> tuple[dict[str, np.ndarray], list[list[np.ndarray]]]:
        """What outputs of crops, and of the mirrored ones, say, as :meth:`infer_all`; and their states."""
        told = len(views[0]) - self._states
        outputs, *mirrored = (view[:told] for view in views)
        if mirrored:
            pairs = zip(outputs, self._mirror(mirrored[0]))
            outputs = [(one + other) * np.float32(0.5) for one, other in pairs]
        count = len(outputs) - len(self.beside)
        joints, scores = self._decode(outputs[:count])
        found = dict(keypoints=joints, keypoint_scores=scores, **dict(zip(self.beside, outputs[count:])))
        if _SIGMAS in found and self._kind == 'coordinates':
            found[_SIGMAS] = found[_SIGMAS] * np.array(self.size, np.float32)
        return found, [view[told:] for view in views]

    def _mirror(self, outputs: list[np.ndarray]) -> list[np.ndarray]:
        """Outputs of mirrored crops as those of the crops themselves."""
        flip, order = self.metadata['flip_test'], self._order
        beside = [values[:, order] for values in outputs[len(outputs) - len(self.beside) :]]
        if self._kind == 'heatmaps':
            return [mirror_heatmaps(outputs[0], order, bool(flip.get('shift_heatmap'))), *beside]
        if self._kind == 'simcc':
            return [outputs[0][:, order, ::-1], outputs[1][:, order], *beside]
        joints, scores = outputs[0].copy(), outputs[1]
        width, pixel = (1.0, 1.0 / self.size[0]) if self._kind == 'coordinates' else (float(self.size[0]), 1.0)
        joints[..., 0] = width - joints[..., 0]
        if flip.get('shift_coords'):
            joints[..., 0] -= pixel
        return [joints[:, order], scores[:, order], *beside]

    def _decode(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Joints in pixels of the crops, and scores."""
        if self._kind == 'heatmaps':
            codec = self._codec
            kernel = int(codec.get('blur_kernel_size', 11))
            if codec.get('type') == UDP_CODEC:
                return decode_udp_heatmaps(outputs[0], self.size, kernel)
            return decode_heatmaps(outputs[0], self.size, bool(codec.get('unbiased', False)), kernel)
        if self._kind == 'simcc':
            return decode_simcc(outputs[0], outputs[1], self.size)
        if self._kind == 'coordinates':
            return outputs[0] * np.array(self.size), outputs[1]
        return outputs[0], outputs[1]


def _check_image(image: Any) -> None:
    """Refuse what is no picture of three channels."""
    if not isinstance(image, np.ndarray):
        raise ValueError(f'the image must be a NumPy array, is {type(image).__name__}: a file that was not found?')
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f'the image must be (height, width, 3) in blue, green, red, its shape is {image.shape}')
    if image.dtype != np.uint8:
        raise ValueError(f'the image must be uint8 with values of 0 to 255, it is {image.dtype}')
    if 0 in image.shape:
        raise ValueError(f'the image is empty, its shape is {image.shape}')


def _checked_boxes(boxes: Any, shape: Sequence[int]) -> np.ndarray:
    """Boxes (N, 4) in float32; refuses one without a size or outside of the picture."""
    try:
        array = np.asarray(boxes, np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f'boxes must be (N, 4) numbers: left, top, right, bottom ({error})') from None
    if array.size == 0:
        return array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f'boxes must be (N, 4): left, top, right, bottom of each; their shape is {array.shape}')
    height, width = shape[:2]
    for fault, bad in (
        ('has values that are not finite', ~np.isfinite(array).all(axis=1)),
        ('has no width or no height', (array[:, 2:] <= array[:, :2]).any(axis=1)),
        (
            f'lies outside of the image of {width}x{height}',
            (array[:, 2:] <= 0).any(axis=1) | (array[:, :2] >= (width, height)).any(axis=1),
        ),
    ):
        if bad.any():
            number = int(np.flatnonzero(bad)[0])
            raise ValueError(f'box {number} (counted from 0) {fault}: {[float(value) for value in array[number]]}')
    return array


# -- as a program ----------------------------------------------------------------------------------


def _parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Print the joints of the people in a picture as JSON.')
    parser.add_argument('model', help='exported .onnx or .xml file, or its folder')
    parser.add_argument('image', help='the picture')
    parser.add_argument(
        '--boxes',
        nargs='+',
        action='extend',
        metavar='X1,Y1,X2,Y2',
        help='left, top, right, bottom of each person in pixels (default: the whole picture); --boxes=-5,... below 0',
    )
    parser.add_argument('--batch-size', type=int, help='people that are run at once')
    parser.add_argument('--threads', type=int, help='threads of the runtime')
    parser.add_argument('--halt', type=float, help='run further cycles for people with a lower mean score')
    return parser.parse_args(arguments)


def _predict_file(args: argparse.Namespace) -> dict[str, Any]:
    """What the program prints."""
    boxes = []
    for text in args.boxes or ():
        try:
            boxes.append([float(value) for value in text.split(',')])
        except ValueError:
            boxes.append([])
        if len(boxes[-1]) != 4:
            raise ValueError(f'--boxes {text}: give left, top, right, bottom, such as 10,20,110,220')
    runtime = PoseRuntime(args.model, batch_size=args.batch_size, threads=args.threads, halt=args.halt)
    image = cv2.imread(args.image) if Path(args.image).is_file() else None
    if image is None:
        raise ValueError(f'{args.image} does not exist or is no picture')
    boxes = boxes or [[0.0, 0.0, float(image.shape[1]), float(image.shape[0])]]
    found = runtime.predict_all(image, boxes)
    rows = np.concatenate([found['keypoints'], found['keypoint_scores'][..., None]], axis=-1)  # (N, K, 3)
    people = [dict(box=box, joints=_finite(person)) for box, person in zip(boxes, rows)]
    for name in runtime.beside:
        for person, values in zip(people, found[name]):
            person[name] = _finite(values)
    return dict(image=args.image, names=runtime.metadata['joints']['names'], people=people)


def _finite(values: np.ndarray) -> list[Any]:
    """Nested lists of numbers, None where one is not finite, which JSON has no word for."""
    if values.ndim > 1:
        return [_finite(each) for each in values]
    return [value if math.isfinite(value) else None for value in values.astype(float).tolist()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the joints of the people in a picture as JSON: ``names``, and for each person x, y and score of each joint.

    Args:
        arguments: Of the command line.

    Returns:
        The exit status: 2 for a mistake, which is said in one line.
    """
    try:
        result = _predict_file(_parse_args(arguments))
    except ValueError as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    sys.stdout.write(json.dumps(result) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
