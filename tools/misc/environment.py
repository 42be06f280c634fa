"""What must be installed, and what of it is whole; standard library only, so that it runs when all else is
broken.

Used by ``doctor.py`` and, from the command line, by ``tools/install.sh``.
"""

from __future__ import annotations  # so that an old Python gets as far as being told so

import csv
import hashlib
import re
import sys
import sysconfig
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHONS = ((3, 10), (3, 12))
# What an installation depends on beside requirements/*.txt.
INPUTS = ('setup.py', 'pyproject.toml', 'tools/install.sh', 'tools/misc/install_steps.sh')


def canonical(name: str) -> str:
    """A distribution's name as packaging compares it."""
    return re.sub(r'[-_.]+', '-', name).lower()


def requirements(*files: str) -> list[tuple[str, str]]:
    """Pairs of name and version specifier, as they stand in ``requirements/*.txt``."""
    found = []
    for file in files:
        for line in (ROOT / 'requirements' / f'{file}.txt').read_text(encoding='utf-8').splitlines():
            match = re.match(r'\s*([\w.-]+)\s*([<>=!~][^#;\s]*)?', line.partition('#')[0])
            if match:
                found.append((match.group(1), match.group(2) or ''))
    return found


def version_of(name: str) -> str | None:
    """The installed version, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, ``'2.12.1+cpu'`` giving (2, 12, 1)."""
    return tuple(int(part) for part in re.match(r'\d*(?:\.\d+)*', version).group().split('.') if part)


def satisfies(version: str, specifier: str) -> bool:
    """Whether a version fulfils a specifier such as ``'>=64,<81'``; enough for our own files."""
    for clause in filter(None, specifier.split(',')):
        operator, wanted = re.match(r'(==|>=|<=|<|>)(.+)', clause).groups()
        length = max(len(numbers(version)), len(numbers(wanted)))
        left, right = ((*numbers(text), *[0] * length)[:length] for text in (version, wanted))
        if not {'==': left == right, '>=': left >= right, '<=': left <= right, '<': left < right, '>': left > right}[
            operator
        ]:
            return False
    return True


def torchvision_for(torch: str) -> str:
    """The torchvision release made for a torch release: 2.X.Y goes with 0.(X + 15).Y.

    Raises:
        ValueError: If torch is older than 2.0.
    """
    major, minor, patch = (*numbers(torch), 0, 0)[:3]
    if major != 2:
        raise ValueError(f'no torchvision is known for torch {torch}')
    return f'0.{minor + 15}.{patch}'


def closure(names: Iterable[str]) -> set[str]:
    """The installed distributions among these and everything they require, with the extras they ask for."""
    found: set[tuple[str, str]] = set()
    waiting = [(canonical(name), '') for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found or version_of(name) is None:
            continue
        found.add((name, extra))
        for requirement in metadata.requires(name) or []:
            asked = re.search(r'\bextra\s*==\s*[\'"]([^\'"]+)', requirement)
            if (asked.group(1) if asked else '') == extra:
                head, extras = re.match(r'([\w.-]+)\s*(?:\[([^]]*)\])?', requirement).groups()
                waiting += [(canonical(head), part.strip()) for part in ['', *(extras or '').split(',')]]
    return {name for name, _ in found}


def incomplete(names: Iterable[str]) -> list[str]:
    """The distributions of which files are missing, as ``name==version``.

    pip writes the list of files last, so that an installation that was interrupted has none.
    """
    own = {Path(sysconfig.get_path(kind)).resolve() for kind in ('purelib', 'platlib')}
    broken = []
    for name in sorted(closure(names)):
        distribution = metadata.distribution(name)
        folder = getattr(distribution, '_path', None)
        if folder is None or folder.suffix != '.dist-info' or folder.parent.resolve() not in own:
            continue  # not installed by pip into this environment
        # Not distribution.files, which leaves missing files out from Python 3.12 on.
        listed = [row[0] for row in csv.reader((distribution.read_text('RECORD') or '').splitlines()) if row]
        if not listed or any(not file.endswith('.pyc') and not (folder.parent / file).exists() for file in listed):
            broken.append(f'{name}=={distribution.version}')
    return broken


def needed() -> list[str]:
    """Every distribution that the project needs, under the name it is installed by."""
    names = [name for name, _ in requirements('build', 'runtime', 'mminstall')]
    if version_of('mmcv') is not None:
        names[names.index('mmcv-lite')] = 'mmcv'
    return names


def lacking(file: str) -> list[str]:
    """The distributions of ``requirements/<file>.txt`` that are absent or of another version."""
    found = [(name, version_of(name), specifier) for name, specifier in requirements(file)]
    return [name for name, version, specifier in found if version is None or not satisfies(version, specifier)]


def stamp() -> str:
    """A digest of what should be installed and of what is; it changes when either does."""
    digest = hashlib.sha256()
    for name in (*INPUTS, *sorted(f'requirements/{file.name}' for file in (ROOT / 'requirements').glob('*.txt'))):
        digest.update((ROOT / name).read_bytes())
    installed: dict[str, str | None] = {name: version_of(name) for name in sorted(closure([*needed(), 'sdpose']))}
    digest.update(repr((str(ROOT), sys.version_info[:3], sys.prefix, installed)).encode())
    return digest.hexdigest()


def main(arguments: list[str]) -> int:
    """``environment.py incomplete | stamp | lacking FILE | version NAME | torchvision-for VERSION``"""
    if arguments == ['incomplete']:
        print('\n'.join(incomplete([*needed(), 'sdpose'])))
    elif arguments == ['stamp']:
        print(stamp())
    elif len(arguments) == 2 and arguments[0] == 'lacking':
        print(' '.join(lacking(arguments[1])))
    elif len(arguments) == 2 and arguments[0] == 'version':
        print(version_of(arguments[1]) or '')
    elif len(arguments) == 2 and arguments[0] == 'torchvision-for':
        print(torchvision_for(arguments[1]))
    else:
        print(f'usage: {main.__doc__}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
