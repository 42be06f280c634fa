"""How the files of a data set of one's own name its folder, its pictures and the config that they inherit."""

import os
from pathlib import Path


def name_places(out: Path, base: Path, folders: tuple[Path, Path]) -> tuple[str, str, tuple[str, str]]:
    """The folder from the current one on, and from the folder the inherited config and the pictures.

    What lies elsewhere than below the current folder, or behind a link, is named in full.
    """
    here, home = os.getcwd(), os.path.abspath(out)
    near = _is_below(home, here) and os.path.realpath(home) == home

    def seen_from_out(path: Path) -> str:
        full = os.path.abspath(path)
        return os.path.relpath(full, home) if near and _is_below(full, here) else full

    root = os.path.relpath(home, here) if _is_below(home, here) else home
    return f'{root}/', seen_from_out(base), (f'{seen_from_out(folders[0])}/', f'{seen_from_out(folders[1])}/')


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip('/') + '/')
