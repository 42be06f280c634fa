"""Looks of a person: skin, hair, clothes and their colours, drawn from calm palettes.

Skin tones follow the Monk Skin Tone scale (Monk, 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sdpose.synthetic.drawing.canvas import Color

_SKIN = ('f3e3d6', 'efdcc9', 'eed9bd', 'eadaba', 'd7bd96', 'c09a6f', 'a07e56', '825c43', '604134', '43352c')
_HAIR = (
    '14110f',
    '1f1713',
    '2e1f17',
    '3d2a1c',
    '573a22',
    '6f4e2c',
    '8f6a3d',
    'b3905c',
    'c9ad7a',
    '7a3a1e',
    '8a8784',
    'c9c6c2',
)
_CLOTH = (
    '2b3a55',
    '39506b',
    '5b7a99',
    '8fa9bf',
    'b9c7d1',
    '4a5a4a',
    '66785c',
    '8c9b78',
    'b7bfa3',
    '7a3b3b',
    '9c5450',
    'b97a6b',
    'd1a08e',
    '8a6d4b',
    'ab8e66',
    'cdb892',
    'e6dac2',
    '3c3c40',
    '5c5c60',
    '86868a',
    'b4b4b6',
    'e9e7e3',
    '57446b',
    '81709a',
    'b0a2c0',
    'c9a23f',
    'd9bf78',
    '3f6e6c',
    '6d9a95',
    'a8c4bd',
    'a34f35',
    '2a2a2d',
)
_LEGWEAR = (
    '2b3a55',
    '34486a',
    '4a6286',
    '6b83a1',
    '2a2a2d',
    '3c3c40',
    '55565c',
    '7d7a74',
    '8a7a62',
    'b09f80',
    '4a4438',
    '4c5646',
    '5d4a3c',
    '6d2f34',
)
_SHOE = ('222224', '3b332d', '5b4533', 'e6e4e0', '8a8c92', '7a3b3b', '34486a', 'c9b79a')
_ROWS, _COLUMNS = np.mgrid[:48, :48]
_light = (
    1.04
    - 0.85 * (_COLUMNS / 47 - 0.38) ** 2
    - 0.10 * _ROWS / 47
    + 0.025 * np.sin(_COLUMNS / 5.2 + _ROWS / 9.4) * _ROWS / 47
)
_CYLINDER = cv2.merge([_light.astype(np.float32)] * 3)
PATTERNS = ('plain', 'stripes', 'columns', 'checks', 'plaid', 'dots', 'block', 'heather')


def from_hex(code: str) -> np.ndarray:
    """BGR floats of an ``rrggbb`` code."""
    return np.array([int(code[i : i + 2], 16) for i in (4, 2, 0)], float)


def shade(color: Sequence[float] | np.ndarray, factor: float) -> Color:
    """A darker (< 1) or lighter (> 1) tone."""
    blue, green, red = color
    return (
        int(min(255, max(0, blue * factor))),
        int(min(255, max(0, green * factor))),
        int(min(255, max(0, red * factor))),
    )


def pick(rng: np.random.Generator, palette: Sequence[str], jitter: float = 0.06) -> Color:
    """A colour of a palette with a slight change of brightness and hue."""
    base = from_hex(palette[int(rng.integers(len(palette)))]) * rng.normal(1, jitter) + rng.normal(0, 60 * jitter, 3)
    return shade(base, 1)


@dataclass(frozen=True)
class Look:
    """Everything about a person that is not shape or pose; colours are BGR.

    Attributes:
        hair_style: Bald, short, bob, long, ponytail or bun.
        sleeve, trouser: Covered fraction of the arm and of the leg, 0 to 2 (1 = elbow or knee).
        skirt: Length of a skirt as a fraction of the thigh, 0 for none.
        tile: A shaded piece of the cloth of top or jacket.
        collar: Crew, v, shirt or hood.
    """

    skin: Color
    hair: Color
    eyes: Color
    top: Color
    top2: Color
    bottom: Color
    shoe: Color
    hair_style: str
    pattern: str
    tile: np.ndarray
    sleeve: float
    trouser: float
    skirt: float
    collar: str
    jacket: Color | None
    hat: Color | None
    beard: bool
    glasses: bool
    backpack: Color | None
    broad: float


def _woven(pattern: str, base: Color, second: Color, rng: np.random.Generator) -> np.ndarray:
    """A 48x48 piece of cloth, uint8 BGR."""
    y, x = _ROWS, _COLUMNS
    period = int(rng.choice([6, 8, 12]))
    share = {
        'stripes': y % period < period // 2,
        'columns': x % period < period // 3,
        'checks': (y // period + x // period) % 2 == 0,
        'dots': (y % period - period / 2) ** 2 + (x % period - period / 2) ** 2 < (period * 0.26) ** 2,
        'block': (y > 12) & (y < 24),
    }.get(pattern)
    if pattern == 'plaid':
        share = 0.45 * (y % 12 < 5) + 0.45 * (x % 12 < 5)
    elif pattern == 'heather':
        share = rng.random((48, 48)) * 0.35
    elif share is None:
        share = np.zeros((48, 48))
    weight = np.asarray(share, np.float32)[..., None]
    return (np.array(base, np.float32) * (1 - weight) + np.array(second, np.float32) * weight).astype(np.uint8)


def _shaded(tile: np.ndarray) -> np.ndarray:
    """The tile with the shading of a cylinder lit from the upper left and a few folds."""
    return cv2.multiply(tile, _CYLINDER, dtype=cv2.CV_8U)


def _garment(rng: np.random.Generator, feminine: bool) -> tuple[float, float, float]:
    """Sleeve, trouser and skirt lengths."""
    sleeve = float(rng.choice([0.0, 0.55, 0.7, 1.2, 1.92, 1.92], p=[0.08, 0.2, 0.26, 0.1, 0.2, 0.16]))
    if feminine and rng.random() < 0.42:
        return sleeve, 0.0, float(rng.uniform(0.55, 1.1))
    return sleeve, float(rng.choice([0.55, 0.85, 1.5, 1.93], p=[0.16, 0.18, 0.08, 0.58])), 0.0


def sample_look(rng: np.random.Generator) -> Look:
    """A person's look."""
    feminine = rng.random() < 0.5
    skin_index = int(rng.integers(len(_SKIN)))
    dark = skin_index >= 6
    sleeve, trouser, skirt = _garment(rng, feminine)
    top, second = pick(rng, _CLOTH), pick(rng, _CLOTH)
    pattern = str(rng.choice(PATTERNS, p=[0.36, 0.14, 0.05, 0.07, 0.12, 0.07, 0.08, 0.11]))
    styles = ('short', 'bob', 'long', 'ponytail', 'bun') if feminine else ('short', 'bald', 'long')
    style = str(rng.choice(styles, p=[0.16, 0.24, 0.3, 0.18, 0.12] if feminine else [0.86, 0.1, 0.04]))
    jacket = pick(rng, _CLOTH) if sleeve > 1.5 and rng.random() < 0.45 else None
    cloth = _woven(pattern, top, second, rng) if jacket is None else _woven('plain', jacket, jacket, rng)
    return Look(
        skin=shade(from_hex(_SKIN[skin_index]) * (0.88, 0.92, 0.97), rng.normal(0.98, 0.03)),
        hair=pick(rng, _HAIR[:4] if dark else _HAIR, 0.04),
        eyes=pick(rng, ('3a2a1e', '4a3424', '5b6b7a', '56684e')[: 2 if dark else 4]),
        top=top,
        top2=second,
        bottom=pick(rng, _LEGWEAR if rng.random() < 0.8 else _CLOTH),
        shoe=pick(rng, _SHOE),
        hair_style=style,
        pattern=pattern,
        tile=_shaded(cloth),
        sleeve=sleeve,
        trouser=trouser,
        skirt=skirt,
        collar=str(rng.choice(['crew', 'v', 'shirt', 'hood'], p=[0.4, 0.22, 0.26, 0.12])),
        jacket=jacket,
        hat=pick(rng, _CLOTH) if rng.random() < 0.12 else None,
        beard=not feminine and rng.random() < 0.3,
        glasses=rng.random() < 0.16,
        backpack=pick(rng, _CLOTH) if rng.random() < 0.1 else None,
        broad=float(rng.uniform(-1, 0.1) if feminine else rng.uniform(-0.1, 1)),
    )
