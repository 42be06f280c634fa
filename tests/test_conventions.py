"""What holds for every module of the package: which rooms it imports from, how long its functions are, what is said."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# From the roof down: a room imports from lower floors, and not from others on its own.
FLOORS = (
    {'benchmarks'},
    {'apis'},
    {'deploy'},
    {'converters', 'engine', 'preflight'},
    {'evaluation', 'models', 'datasets', 'synthetic', 'visualization'},
    {'config'},
    {'compat'},
    {'io'},
    {'structures', 'errors', 'registration', 'version'},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# The drawn world has a contact sheet, which draws people as predictions are drawn.
NEIGHBOURS = {('synthetic', 'visualization')}
LONGEST = 60  # lines of a function, as ruff formats it

Function = ast.FunctionDef | ast.AsyncFunctionDef
Parsed = dict[Path, ast.Module]


@pytest.fixture(scope='module')
def modules(repo_root: Path) -> Parsed:
    """Every module of the package but its public face, which alone names the roof, by its path below the checkout."""
    files = set((repo_root / 'sdpose').rglob('*.py')) - {repo_root / 'sdpose/__init__.py'}
    assert len(files) > 200
    return {file.relative_to(repo_root): ast.parse(file.read_text()) for file in sorted(files)}


def imports(file: Path, tree: ast.Module) -> Iterator[str]:
    """The names of ours that a module imports, in full, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = file.parts[: len(file.parts) - node.level] if node.level else ()
            names = ['.'.join((*above, *filter(None, [node.module]), alias.name)) for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith('sdpose.'))


def forbidden(file: Path, name: str) -> bool:
    """Whether a module may not import a name of ours."""
    if file.parts[1:3] == ('models', 'losses'):  # formulas that can be read alone
        return not name.startswith(('sdpose.models.losses.', 'sdpose.errors.'))
    room, other = file.with_suffix('').parts[1], name.split('.')[1]
    upwards = FLOOR[room] >= FLOOR.get(other, 0)  # the face is on the roof
    return room != other and (room, other) not in NEIGHBOURS and upwards


def test_imports_go_downstairs(modules: Parsed) -> None:
    assert {file.with_suffix('').parts[1] for file in modules} == set(FLOOR)  # a new room gets its floor
    found = {(file, name) for file, tree in modules.items() for name in imports(file, tree)}
    assert len(found) > 500
    assert [f'{file} imports {name}' for file, name in sorted(found) if forbidden(file, name)] == []
    room = Path('sdpose/models/necks.py')
    upstairs = ast.parse(
        'def f():\n    from sdpose.engine import hooks\nfrom ..datasets.samplers import b\nimport sdpose.io.lock'
    )
    assert [forbidden(room, name) for name in sorted(imports(room, ast.parse(upstairs)))] == [True, True, False]
    assert forbidden(Path('sdpose/models/losses/a.py'), 'sdpose.io.atomic.atomic_write')


def test_functions_are_short(modules: Parsed, repo_root: Path) -> None:
    tools = {file: ast.parse(file.read_text()) for file in sorted((repo_root / 'tools').rglob('*.py'))}
    assert len(tools) > 10
    lengths = [
        (node.end_lineno - node.lineno + 1, f'{node.name} in {file}')
        for file, tree in {**modules, **tools}.items()
        for node in ast.walk(tree)
        if isinstance(node, Function)
    ]
    assert max(lengths)[0] <= LONGEST, f'the longest: {max(lengths)}'


def public(body: list[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    """Classes, functions and methods without an underscore; a setter is what its property is."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith('_'):
            if not any(isinstance(mark, ast.Attribute) and mark.attr == 'setter' for mark in node.decorator_list):
                yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def test_what_is_public_is_described(modules: Parsed) -> None:
    bare = [(file, node) for file, tree in modules.items() for node in public(tree.body) if not ast.get_docstring(node)]
    assert [f'{file}:{node.lineno} {node.name}' for file, node in bare] == []


def test_nothing_is_printed(modules: Parsed) -> None:
    """Tools print; the package logs, or returns what is said."""
    calls = [(file, node) for file, tree in modules.items() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [f'{file}:{call.lineno}' for file, call in calls if getattr(call.func, 'id', '') == 'print'] == []


def test_the_map_of_the_code_names_every_room(repo_root: Path) -> None:
    """Folders of the package and those in them, as ``README.md`` lists them for who looks for something."""
    text = (repo_root / 'README.md').read_text()
    shown = text.partition('## Map of the code')[2].partition('\n## ')[0]
    package = repo_root / 'sdpose'
    rooms = {file.parent.relative_to(package) for file in package.rglob('*.py')} - {Path()}
    names = {part for room in rooms for part in room.parts[:2]}
    assert {'apis', 'coco', 'hooks'} < names
    assert sorted(names - set(re.findall(r'(\w+)/', shown))) == []
