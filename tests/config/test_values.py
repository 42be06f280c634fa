"""Values as the command line writes them."""

import pytest

from sdpose.config.values import format_value, parse_value


@pytest.mark.parametrize(
    'text, value',
    [
        ('1', 1),
        ('1e-3', 1e-3),
        ('TRUE', True),
        ('None', None),
        ('', ''),
        ('/my data/a,b/', '/my data/a,b/'),
        (' x ', ' x '),
        ("it's", "it's"),
        ('/a (copy)/b', '/a (copy)/b'),
        ('(copy)/b', '(copy)/b'),
        ('[1, 2]', [1, 2]),
        ('1,2', [1, 2]),
        ('200, 260', [200, 260]),
        ('(288, 384)', (288, 384)),
        ('(1)', (1,)),
        ('[]', []),
        ('[(1,2),[a,b],c d]', [(1, 2), ['a', 'b'], 'c d']),
        ('\'["x, y", z]\'', '["x, y", z]'),
        ('["x, y", z]', ['x, y', 'z']),
        ("'a, b'", 'a, b'),
        ("'1'", '1'),
        ("[{'type':'EMAHook'}]", [dict(type='EMAHook')]),
        (
            '{type: A, b: [1, (2, 3)], c: {d: None}, "e,f": "g: h"}',
            {'type': 'A', 'b': [1, (2, 3)], 'c': {'d': None}, 'e,f': 'g: h'},
        ),
        ('[http://a:8/b]', ['http://a:8/b']),
    ],
)
def test_values_are_read(text: str, value: object) -> None:
    found = parse_value(text)
    assert found == value and type(found) is type(value)
    assert parse_value(format_value(value)) == value


@pytest.mark.parametrize('text', ['[1, 2', '(1, 2]', '[1,,2]', '{1, 2}', "[it's]", 'dict(a=1)', '[dict(a=1)]', '{: 1}'])
def test_values_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_value(text)


@pytest.mark.parametrize(
    'value', ['1', 'None', '[1', "'", 'a, b', 'it\'s "x"', 1.0, True, [('a,b', 1)], dict(a=[None])]
)
def test_what_is_written_is_read_again(value: object) -> None:
    found = parse_value(format_value(value))
    assert found == value and type(found) is type(value)
