"""Draw the picture of the method in the README: python tools/misc/draw_method.py [OUT.svg]."""

import argparse
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / '.github' / 'method.svg'

WIDTH, HEIGHT = 980, 428
INK, FAINT = '#1f2328', '#59636e'
DEPLOYED, TRAINING, LOSS, DISTILL = '#1a7f37', '#6e7781', '#cf222e', '#8250df'
KEYPOINT, PATCH = '#f0883e', '#54aeff'
JOINTS = (
    (35, 15),
    (22, 36),
    (48, 36),
    (18, 58),
    (52, 58),
    (28, 58),
    (42, 58),
    (26, 84),
    (44, 84),
    (35, 36),
)  # in the image
BONES = ((0, 9), (1, 2), (1, 3), (2, 4), (1, 5), (2, 6), (5, 6), (5, 7), (6, 8))
LANE, TOP = 262, 82  # the middles of the row of tokens and of the row of heatmaps
FIRST, SECOND = 500, 756  # where the tokens of the two cycles stand


def text(x: float, y: float, words: str, size: float = 12, color: str = INK, anchor: str = 'middle', more='') -> str:
    """Words around (x, y)."""
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{color}" text-anchor="{anchor}" {more}>{words}</text>'


def box(x: float, y: float, width: float, height: float, fill: str, line: str, more: str = '') -> str:
    """A rectangle with round corners."""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{line}" '
        f'stroke-width="1.3" {more}/>'
    )


def arrow(path: str, color: str) -> str:
    """A line with a head; what is deployed is drawn solid, what is for training dashed."""
    dash = '' if color == DEPLOYED else 'stroke-dasharray="6 4"'
    width = 2.6 if color == DEPLOYED else 1.8
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}" {dash} marker-end="url(#{color[1:]})"/>'
    )


def heads_of_arrows() -> str:
    """One arrow head per color."""
    return ''.join(
        f'<marker id="{color[1:]}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="{color}"/></marker>'
        for color in (DEPLOYED, TRAINING, LOSS, DISTILL)
    )


def image(x: float, y: float) -> str:
    """A person of bones in a picture of 70x94."""
    points = [(x + across, y + down) for across, down in JOINTS]
    bones = ''.join(
        f'<line x1="{points[a][0]}" y1="{points[a][1]}" x2="{points[b][0]}" y2="{points[b][1]}"/>' for a, b in BONES
    )
    head = f'<circle cx="{points[0][0]}" cy="{points[0][1] + 3}" r="9" fill="{INK}" stroke="none"/>'
    return box(x, y, 70, 94, '#ddf4ff', FAINT) + (
        f'<g stroke="{INK}" stroke-width="5" stroke-linecap="round">{bones}{head}</g>'
    )


def tokens(x: float) -> str:
    """A column of tokens: three of keypoints, then five of patches."""
    squares = [(number * 17, KEYPOINT) for number in range(3)] + [(57 + number * 17, PATCH) for number in range(5)]
    return ''.join(
        f'<rect x="{x - 7}" y="{LANE - 70 + down}" width="14" height="14" rx="3" fill="{color}" stroke="{INK}" '
        f'stroke-width="0.8"/>'
        for down, color in squares
    )


def heatmaps(x: float, blob: str) -> str:
    """Three heatmaps behind each other, of one joint in front."""
    sheets = ''.join(box(x - 27 + shift, TOP - 36 - shift, 54, 72, '#0d2d5c', '#ffffff') for shift in (10, 5, 0))
    return sheets + f'<ellipse cx="{x - 5}" cy="{TOP - 10}" rx="17" ry="17" fill="url(#{blob})"/>'


def cycle(x: float, name: str, remark: str) -> str:
    """The transformer in one of its cycles."""
    return (
        box(x, LANE - 52, 140, 104, '#ffffff', FAINT)
        + text(x + 70, LANE - 20, name, 15, more='font-weight="bold"')
        + text(x + 70, LANE, remark, 12)
        + text(x + 70, LANE + 24, 'position added again', 11, FAINT)
        + text(x + 70, LANE + 38, 'before layers 2 to L', 11, FAINT)
    )


def shades() -> str:
    """The glow of a predicted heatmap and of an annotated one."""
    return ''.join(
        f'<radialGradient id="{name}"><stop offset="0" stop-color="{inner}"/><stop offset="0.45" stop-color="{color}"/>'
        f'<stop offset="1" stop-color="{color}" stop-opacity="0"/></radialGradient>'
        for name, inner, color in (('predicted', '#fff8c5', '#fb8f44'), ('wanted', '#ffffff', '#4ac26b'))
    )


def row_of_tokens() -> list[str]:
    """From left to right: the image, the StemNet, tokens, and the two cycles of one transformer."""
    return [
        image(20, LANE - 47),
        text(55, LANE + 66, 'image'),
        arrow(f'M92,{LANE} H116', DEPLOYED),
        box(118, LANE - 30, 80, 60, '#f6f8fa', FAINT),
        text(158, LANE - 2, 'StemNet', 14, more='font-weight="bold"'),
        text(158, LANE + 16, '1/4 of the size', 10, FAINT),
        arrow(f'M200,{LANE} H228', DEPLOYED),
        tokens(240),
        text(240, LANE - 94, 'keypoint tokens,', 12),
        text(240, LANE - 80, 'learned', 12),
        text(240, LANE + 90, 'patches,', 12),
        text(240, LANE + 104, 'with their position', 12),
        box(298, LANE - 92, 404, 173, '#fff8e5', '#d4a72c'),
        text(312, LANE - 70, 'one transformer, L layers', 12, '#7d4e00', 'start', 'font-weight="bold"'),
        text(688, LANE - 70, 'the same weights', 12, '#7d4e00', 'end', 'font-weight="bold"'),
        arrow(f'M252,{LANE} H310', DEPLOYED),
        cycle(312, 'cycle 1', 'over new tokens'),
        arrow(f'M454,{LANE} H488', DEPLOYED),
        tokens(FIRST),
        arrow(f'M511,{LANE} H546', TRAINING),
        cycle(548, 'cycle 2', 'over its own output'),
        arrow(f'M690,{LANE} H744', TRAINING),
        tokens(SECOND),
    ]


def way_to_heatmaps() -> list[str]:
    """From the keypoint tokens of each cycle through the head up to its heatmaps, and the annotated ones."""
    return [
        *(
            arrow(f'M{x},{LANE - 74} V162', color)
            + box(x - 46, 136, 92, 24, '#f6f8fa', FAINT)
            + text(x, 153, head, 13, more='font-weight="bold"')
            + arrow(f'M{x},134 V{TOP + 39}', color)
            for x, head, color in ((FIRST, 'head', DEPLOYED), (SECOND, 'same head', TRAINING))
        ),
        heatmaps(FIRST, 'predicted'),
        heatmaps(SECOND, 'predicted'),
        heatmaps(628, 'wanted'),
        text(FIRST, 28, 'heatmaps of cycle 1'),
        text(SECOND, 28, 'heatmaps of cycle 2'),
        text(633, 28, 'annotated'),
        text(450, TOP - 4, 'inference:', 14, DEPLOYED, 'end', 'font-weight="bold"'),
        text(450, TOP + 14, 'one cycle, these', 14, DEPLOYED, 'end', 'font-weight="bold"'),
    ]


def what_is_trained() -> list[str]:
    """The losses on both cycles' heatmaps, and what the second cycle teaches the first."""
    return [
        arrow(f'M598,{TOP} H541', LOSS),
        arrow(f'M669,{TOP} H726', LOSS),
        text(570, TOP - 8, 'loss', 12, LOSS, more='font-weight="bold"'),
        text(696, TOP - 8, 'loss', 12, LOSS, more='font-weight="bold"'),
        arrow(f'M{SECOND},{LANE + 76} C{SECOND},{LANE + 142} {FIRST},{LANE + 142} {FIRST},{LANE + 76}', DISTILL),
        text(628, LANE + 109, 'cycle 2 teaches cycle 1', 13, DISTILL, more='font-weight="bold"'),
        text(
            628,
            LANE + 150,
            'self-distillation: 5e-6 times the mean squared difference of all tokens; gradients into both cycles',
            12,
            DISTILL,
        ),
    ]


def legend() -> list[str]:
    """What the colors are."""
    return [
        arrow('M812,216 H846', DEPLOYED),
        text(856, 220, 'inference', 12, anchor='start'),
        arrow('M812,240 H846', TRAINING),
        text(856, 244, 'training only', 12, anchor='start'),
        f'<rect x="822" y="257" width="14" height="14" rx="3" fill="{KEYPOINT}" stroke="{INK}" stroke-width="0.8"/>',
        text(856, 268, 'keypoint token', 12, anchor='start'),
        f'<rect x="822" y="281" width="14" height="14" rx="3" fill="{PATCH}" stroke="{INK}" stroke-width="0.8"/>',
        text(856, 292, 'visual token', 12, anchor='start'),
    ]


def draw() -> str:
    """The picture as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="Helvetica, Arial, DejaVu Sans, sans-serif" role="img">',
        '<title>SDPose: one transformer runs two cycles in training, each later cycle teaches the one before</title>',
        f'<defs>{heads_of_arrows()}{shades()}</defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#ffffff"/>',
        *row_of_tokens(),
        *way_to_heatmaps(),
        *what_is_trained(),
        *legend(),
        '</svg>',
    ]
    return '\n'.join(parts) + '\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path, nargs='?', default=OUT, help='SVG to write (default: the one in the README)')
    out = parser.parse_args().out
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(draw(), encoding='utf-8')
    except OSError as error:
        sys.stderr.write(f'error: {out} cannot be written: {error.strerror}\n')
        sys.exit(2)


if __name__ == '__main__':
    main()
