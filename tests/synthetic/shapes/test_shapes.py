"""Drawn shapes: deterministic, told apart by their form alone, written whole or not at all."""

import hashlib
import json

import cv2
import numpy as np
import pytest

from sdpose.errors import DataError, UserError
from sdpose.synthetic.generate import generate
from sdpose.synthetic.request import Request
from sdpose.synthetic.shapes import CLASSES, draw_picture
from sdpose.synthetic.shapes.generate import ShapesRequest, generate_shapes
from sdpose.synthetic.shapes.outlines import OUTLINES


def digest(folder):
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return hashlib.sha256(b''.join(path.read_bytes() for path in files)).hexdigest(), len(files)


def test_the_arguments_decide_every_pixel():
    first = draw_picture('star', (48, 40), 1, 0, 2)
    assert first.shape == (40, 48, 3) and first.dtype == np.uint8
    assert np.array_equal(first, draw_picture('star', (48, 40), 1, 0, 2))
    others = [('ring', 1, 0, 2), ('star', 2, 0, 2), ('star', 1, 1, 2), ('star', 1, 0, 3)]
    assert not any(np.array_equal(first, draw_picture(name, (48, 40), *rest)) for name, *rest in others)


def test_outlines_lie_in_the_unit_circle_and_only_the_ring_has_a_hole():
    assert len(CLASSES) == 8 and list(CLASSES) == sorted(CLASSES)
    for name, contours in OUTLINES.items():
        assert all(np.hypot(*points.T).max() < 1.1 for points in contours)
        assert len(contours) == (2 if name == 'ring' else 1)


@pytest.mark.parametrize('name', CLASSES)
def test_a_shape_is_brighter_than_what_it_lies_on(name):
    for index in range(5):
        grey = draw_picture(name, (64, 64), 0, 0, index).mean(axis=2)
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        assert np.percentile(grey, 97) > np.median(border) + 40


def test_a_set_is_written_once_and_whole(tmp_path):
    out, request, seen = tmp_path / 'set', ShapesRequest(3, 2, 0, (32, 32)), []
    assert generate_shapes(out, request, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (40, 40)
    assert sorted(path.name for path in (out / 'train').iterdir()) == list(CLASSES)
    assert len(list((out / 'val').rglob('*.JPEG'))) == 16
    assert cv2.imread(str(out / 'contact_sheet.png')).shape[1] == 1200
    assert json.loads((out / 'synthetic.json').read_text())['kind'] == 'shapes'
    before = digest(out)
    assert not generate_shapes(out, request)
    assert generate_shapes(out, request, overwrite=True) and digest(out) == before
    with pytest.raises(DataError, match='seed is 0, asked for 7.*--overwrite'):
        generate_shapes(out, ShapesRequest(3, 2, 7, (32, 32)))
    next((out / 'train/star').iterdir()).unlink()
    with pytest.raises(DataError, match='files are missing'):
        generate_shapes(out, request)
    assert [path.name for path in tmp_path.iterdir()] == ['set']


def test_a_folder_of_somebody_is_left_alone(tmp_path):
    (tmp_path / 'mine').write_text('x')
    with pytest.raises(DataError, match='is no synthetic set'):
        generate_shapes(tmp_path, ShapesRequest(1, 1, 0, (32, 32)), overwrite=True)


PEOPLE, SHAPES = Request(1, 0, 0, 'starter', (64, 48)), ShapesRequest(1, 1, 0, (32, 32))


def draw_people_into(out, overwrite):
    return generate(out, PEOPLE, workers=1, overwrite=overwrite)


def draw_shapes_into(out, overwrite):
    return generate_shapes(out, SHAPES, overwrite)


@pytest.mark.parametrize('overwrite', [False, True])
@pytest.mark.parametrize(
    'draw, other, message',
    [
        (draw_people_into, draw_shapes_into, 'holds a set of people, asked for shapes: choose another --out'),
        (draw_shapes_into, draw_people_into, 'holds a set of shapes, asked for people: choose another --out'),
    ],
)
def test_a_set_of_another_kind_is_left_alone(tmp_path, draw, other, message, overwrite):
    draw(tmp_path / 'set', overwrite=False)
    before = digest(tmp_path / 'set')
    with pytest.raises(DataError, match=message):
        other(tmp_path / 'set', overwrite=overwrite)
    assert digest(tmp_path / 'set') == before and [path.name for path in tmp_path.iterdir()] == ['set']


@pytest.mark.parametrize('draw', [draw_people_into, draw_shapes_into])
@pytest.mark.parametrize(
    'content', ['{}', '[]', '{"kind": "voices"}', '{"seed": 0}', '{"kind": "shapes", "seed": 0}', '{', b'\xff']
)
def test_a_manifest_of_somebody_elses_tool_protects_its_folder(tmp_path, draw, content):
    (tmp_path / 'synthetic.json').write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / 'mine').write_text('x')
    with pytest.raises(DataError, match='choose another --out'):
        draw(tmp_path, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['mine', 'synthetic.json']


@pytest.mark.parametrize(
    'values, message',
    [
        ((0, 1, 0, (32, 32)), '--num-train 0: give 1 to'),
        ((1, 0, 0, (32, 32)), '--num-val 0: give 1 to'),
        ((1, 1, -1, (32, 32)), '--seed -1'),
        ((1, 1, 0, (8, 32)), '--size 8x32: give sides of 16 to 1024'),
    ],
)
def test_values_out_of_range(values, message):
    with pytest.raises(UserError, match=message):
        ShapesRequest(*values)
