"""Values of ``KEY=VALUE`` as the command line writes them."""

import ast
from typing import Any

_CLOSING = {'[': ']', '(': ')', '{': '}'}
_QUOTES = ('"', "'")


def parse_value(text: str) -> Any:
    """The value that a text of the command line stands for.

    Numbers, ``True``, ``False`` (in any case) and ``None`` are themselves; what stands in quotes is text; ``[...]``,
    ``(...)`` and ``{key: value}`` hold values, whose words need no quotes. Numbers with commas between them are a list.
    Everything else is text as it stands, with its blanks and commas.

    Args:
        text: What follows the first ``=``.

    Raises:
        ValueError: If a bracket or a quote is not closed, or an entry is missing or a call.
    """
    inner = text.strip()
    if inner[:1] in _CLOSING and _end_of(inner) == len(inner):
        return _container(inner)
    if inner[:1] in _QUOTES and _end_of(inner) == len(inner):
        return _quoted(inner)
    word = _word(inner)
    if not isinstance(word, str):
        return word
    numbers = [_word(item) for item in inner.split(',')]
    if len(numbers) > 1 and not any(isinstance(number, str) for number in numbers):
        return numbers
    return text


def format_value(value: Any) -> str:
    """The text that :func:`parse_value` reads as this value."""
    if isinstance(value, str):
        try:
            if parse_value(value) == value:
                return value
        except ValueError:
            pass
    return repr(value)


def _element(text: str) -> Any:
    """An entry of a container: as a value, but blanks around it are none of its."""
    inner = text.strip()
    if not inner:
        raise ValueError('an entry is missing')
    if inner[0] in _CLOSING and _end_of(inner) == len(inner):
        return _container(inner)
    if inner[0] in _QUOTES and _end_of(inner) == len(inner):
        return _quoted(inner)
    return _word(inner)


def _container(text: str) -> Any:
    opening, items = text[0], _split(text[1:-1], ',')
    if items and not items[-1].strip():
        items.pop()  # a comma at the end, or nothing at all
    if opening == '{':
        pairs = [_split(item, ':', 1) for item in items]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError('an entry of {...} is not of the form key: value')
        return {_element(key): _element(value) for key, value in pairs}
    values = [_element(item) for item in items]
    return tuple(values) if opening == '(' else values


def _quoted(text: str) -> str:
    try:
        return ast.literal_eval(text)
    except SyntaxError as error:
        raise ValueError(str(error)) from error


def _word(text: str) -> Any:
    text = text.strip()
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    if text.startswith('dict(') and text.endswith(')'):
        raise ValueError('write {key: value} for dict(key=value)')
    return {'true': True, 'false': False}.get(text.lower(), None if text == 'None' else text)


def _end_of(text: str) -> int:
    """Where what begins with a bracket or quote ends.

    Raises:
        ValueError: If it does not, or brackets cross.
    """
    open_brackets: list[str] = []
    quote, skip = '', False
    for place, sign in enumerate(text):
        if quote:
            if skip or sign == '\\':
                skip = not skip
            elif sign == quote:
                quote = ''
        elif sign in _QUOTES:
            quote = sign
        elif sign in _CLOSING:
            open_brackets.append(_CLOSING[sign])
        elif open_brackets and sign in _CLOSING.values() and sign != open_brackets.pop():
            raise ValueError('brackets cross')
        if not quote and not open_brackets:
            return place + 1
    raise ValueError(f'{quote or open_brackets[-1]} is missing')


def _split(text: str, sign: str, count: int = -1) -> list[str]:
    """The parts between signs that stand in no bracket and no quotes."""
    parts: list[str] = []
    begin = place = 0
    while place < len(text):
        if text[place] in _CLOSING or (text[place] in _QUOTES and not text[begin:place].strip()):
            place += _end_of(text[place:])
            continue
        if text[place] == sign and len(parts) != count:
            parts.append(text[begin:place])
            begin = place + 1
        place += 1
    return [*parts, text[begin:]]
