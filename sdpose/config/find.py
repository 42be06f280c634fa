"""Where the configs are: beside the package in a checkout, inside it in a wheel."""

from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def config_dir() -> Path:
    """The folder of all configs.

    Returns:
        ``configs/`` of the checkout, for an editable install, or ``sdpose/.mim/configs`` of an installed
        wheel.

    Raises:
        FileNotFoundError: If neither exists.
    """
    checkout = _PACKAGE.parent
    # Only a checkout has setup.py beside the package; site-packages might hold some other project's
    # "configs".
    for folder, present in (
        (checkout / 'configs', (checkout / 'setup.py').is_file()),
        (_PACKAGE / '.mim' / 'configs', True),
    ):
        if present and folder.is_dir():
            return folder
    raise FileNotFoundError(
        f'The package at {_PACKAGE} has no configs: neither a checkout (configs/ and setup.py '
        'beside it) nor an installed wheel (.mim/configs inside it). Cure: install it again'
    )


def find_config(name: str | Path) -> Path:
    """The file of a config.

    Args:
        name: An existing path; or a path below the configs folder, with or without ``configs/`` before it; or a bare
            file name, with or without ``.py``; or one that an installed package brings, as ``_base_`` names it:
            ``mmpose::body_2d_keypoint/...``.

    Returns:
        The path of an existing file.

    Raises:
        FileNotFoundError: If there is no such config; the message lists similar ones.
        ValueError: If it is a folder, or a bare name that fits several configs.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.is_dir():
        raise ValueError(f'config {name} is a folder: name a config file in it')
    package, packaged, rest = str(name).partition('::')
    folder = _configs_of(package) if packaged else config_dir()
    path = Path(rest) if packaged else path
    below = Path(*path.parts[1:]) if path.parts[:1] == ('configs',) else path
    wanted = below if below.suffix == '.py' else below.with_name(f'{below.name}.py')
    if not path.is_absolute() and '..' not in path.parts and (folder / wanted).is_file():
        return folder / wanted
    found = sorted(folder.rglob(wanted.name)) if len(wanted.parts) == 1 else []
    if len(found) > 1:
        several = ', '.join(str(file.relative_to(folder)) for file in found)
        raise ValueError(f'The config name {str(name)!r} fits several: {several}. Give one of these')
    if not found:
        raise FileNotFoundError(
            f'No config {str(name)!r}, neither as a file nor below {folder}. {_similar(wanted.stem, folder)}'
        )
    return found[0]


def _configs_of(package: str) -> Path:
    """The folder of the configs that an installed package of MMPose's kind brings."""
    spec = find_spec(package) if package.isidentifier() else None
    folder = Path(spec.origin).parent / '.mim' / 'configs' if spec and spec.origin else None
    if folder is None or not folder.is_dir():
        raise FileNotFoundError(f'No package {package!r} with configs is installed')
    return folder


def _similar(stem: str, folder: Path) -> str:
    """Up to five configs with a similar name."""
    known = {file.stem: file.relative_to(folder) for file in sorted(folder.rglob('*.py')) if '_base_' not in file.parts}
    close = get_close_matches(stem, known, n=5, cutoff=0.5)
    if not close:  # the model alone, as it begins the name
        models = dict.fromkeys(name.partition('_')[0] for name in known)
        near = get_close_matches(stem.partition('_')[0], models, n=2, cutoff=0.7)
        close = [name for model in near for name in known if name.partition('_')[0] == model][:5]
    return f'Similar: {", ".join(str(known[name]) for name in close)}' if close else 'No config has a similar name'
