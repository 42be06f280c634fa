"""The numbers of ``sdpose/deploy/README.md``: by its formulas, without OpenCV, and by the runtime."""

import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdpose.deploy import runtime


class Page:
    """The lines ``name = numbers`` of the page; what is compared is remembered."""

    def __init__(self, text: str) -> None:
        blocks = ''.join(re.findall(r'```text\n(.*?)```', text, re.DOTALL))
        lines = [line.rpartition(' = ') for line in blocks.splitlines()]
        self.texts = {name: numbers.split(', ') for name, _, numbers in lines}
        assert len(self.texts) == len(lines) > 30
        self.unseen = set(self.texts)

    def __getitem__(self, name: str) -> list[float]:
        self.unseen.discard(name)
        return [float(text) for text in self.texts[name]]

    def agrees(self, name: str, *computed: float) -> None:
        """Each number is that of the page, to the last digit written there."""
        assert len(computed) == len(self[name])
        for text, number in zip(self.texts[name], computed):
            assert abs(float(text) - number) <= 0.51 * 10 ** -len(text.partition('.')[2]), (name, text, number)


@pytest.fixture
def page(repo_root: Path) -> Page:
    return Page((repo_root / 'sdpose/deploy/README.md').read_text())


def heatmap() -> np.ndarray:
    """That of the page, (64, 48)."""
    y, x = np.mgrid[:64, :48]
    return 0.9 * np.exp(-((x - 20.3) ** 2 + (y - 31.6) ** 2) / 8)


def blurred(values: np.ndarray, kernel: int) -> np.ndarray:
    """By the page's weights, in plain sums of float64."""
    sigma, reach = 0.3 * ((kernel - 1) / 2 - 1) + 0.8, (kernel - 1) // 2
    weights = np.array([math.exp(-i * i / (2 * sigma * sigma)) for i in range(-reach, reach + 1)])
    weights /= weights.sum()
    for axis in (0, 1):
        values = np.apply_along_axis(np.convolve, axis, values, weights, 'same')
    return values


def test_by_the_formulas(page: Page):
    left, top, right, bottom = page['box']
    (w, h), padding = page['input.size'], page['padding'][0]
    cx, cy, sw, sh = (left + right) / 2, (top + bottom) / 2, (right - left) * padding, (bottom - top) * padding
    page.agrees('centre', cx, cy)
    page.agrees('size before', sw, sh)
    sw, sh = (sw, sw / (w / h)) if sw > sh * w / h else (sh * w / h, sh)
    page.agrees('size', sw, sh)
    a = w / sw
    page.agrees('a', a)
    page.agrees('matrix', a, 0, w / 2 - a * cx, 0, a, h / 2 - a * cy)
    u, v = page['crop pixel']
    x, y = (u - w / 2) / a + cx, (v - h / 2) / a + cy
    page.agrees('seen at', x, y)
    one, two, three, four = page['values around']
    fx, fy = x - 39, y - 53
    page.agrees('bilinear', (1 - fy) * ((1 - fx) * one + fx * two) + fy * ((1 - fx) * three + fx * four))
    pixels = zip(page['red, green, blue'], page['input.mean'], page['input.std'])
    page.agrees('normalized', *((value - mean) / std for value, mean, std in pixels))

    values = heatmap()
    q, p = np.unravel_index(values.argmax(), values.shape)
    page.agrees('peak', p, q)
    page.agrees('score', values[q, p])
    page.agrees('neighbourhood', *values[q - 1 : q + 2, p - 1 : p + 2].flat)
    soft = blurred(values, 11)
    page.agrees('highest blurred', soft.max())
    soft *= values.max() / soft.max()
    for row in range(5):
        page.agrees(f'blurred {row + 1}', *soft[q - 2 + row, p - 2 : p + 3])
    near = {(dx, dy): math.log(soft[q + dy, p + dx]) for dx in range(-2, 3) for dy in range(-2, 3)}
    gx, gy = (near[1, 0] - near[-1, 0]) / 2, (near[0, 1] - near[0, -1]) / 2
    gxx, gyy = ((near[d] - 2 * near[0, 0] + near[-d[0], -d[1]]) / 4 for d in ((2, 0), (0, 2)))
    gxy = (near[1, 1] - near[1, -1] - near[-1, 1] + near[-1, -1]) / 4
    page.agrees('gx, gy', gx, gy)
    page.agrees('gxx, gxy, gyy', gxx, gxy, gyy)
    det = gxx * gyy - gxy * gxy
    fine = p + (gxy * gy - gyy * gx) / det, q + (gxy * gx - gxx * gy) / det
    page.agrees('refined', *fine)
    in_crop = fine[0] * w / 48, fine[1] * h / 64
    page.agrees('in the crop', *in_crop)
    page.agrees('in the picture', in_crop[0] / w * sw + cx - sw / 2, in_crop[1] / h * sh + cy - sh / 2)
    quarter = (
        p + 0.25 * np.sign(values[q, p + 1] - values[q, p - 1]),
        q + 0.25 * np.sign(values[q + 1, p] - values[q - 1, p]),
    )
    page.agrees('quarter', *quarter)
    page.agrees('quarter in the crop', quarter[0] * w / 48, quarter[1] * h / 64)
    for kernel in (3, 5, 7, 11):
        page.agrees(f'weights {kernel}', *cv2.getGaussianKernel(kernel, 0).flat)
    assert page.unseen == set()  # no number of the page goes unchecked


def test_by_the_runtime(page: Page):
    size = [int(value) for value in page['input.size']]
    centers, scales = runtime.center_scale(np.float32([page['box']]), size, page['padding'][0])
    page.agrees('centre', *centers[0])
    page.agrees('size', *scales[0])
    page.agrees('matrix', *runtime.warp_matrix(centers[0], scales[0], size).flat)
    image = np.zeros((400, 300, 3), np.uint8)
    image[53:55, 39:41, 0] = np.reshape(page['values around'], (2, 2))
    image[170:190, 130:150] = page['red, green, blue'][::-1]
    crop = runtime.crop_people(image, centers, scales, size)
    assert crop[0, 20, 10].tolist() == [21, 0, 0]
    normal = runtime.normalize(crop, page['input.mean'], page['input.std'], 'rgb')
    page.agrees('normalized', *normal[0, :, 128, 96])
    maps = heatmap().astype(np.float32)[None, None]
    joints, scores = runtime.decode_heatmaps(maps, size, True, 11)
    page.agrees('score', scores[0, 0])
    page.agrees('in the crop', *joints[0, 0])
    page.agrees('in the picture', *runtime.to_image(joints, centers, scales, size)[0, 0])
    page.agrees('quarter in the crop', *runtime.decode_heatmaps(maps, size, False)[0][0, 0])
