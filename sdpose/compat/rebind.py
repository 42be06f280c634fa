"""Replacing a function in every module that imported it by name."""

import sys
from typing import Any


def rebind(original: Any, replacement: Any, package: str = 'mmengine') -> None:
    """Let every loaded module of a package that holds ``original`` hold ``replacement`` instead."""
    for name, module in list(sys.modules.items()):
        if module is None or name.partition('.')[0] != package:
            continue
        for key, value in list(vars(module).items()):
            if value is original:
                setattr(module, key, replacement)
