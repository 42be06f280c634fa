"""A wheel of MediaPipe's with a stand-in for what runs the model in it."""

import sys
import zipfile
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest


def make_wheel(folder: Path, member: str, interpreter: type, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel whose file ``member`` holds ``b'model'``; ``ai_edge_litert`` runs it by the class that is given."""
    package, module = ModuleType('ai_edge_litert'), ModuleType('ai_edge_litert.interpreter')
    package.__spec__ = ModuleSpec('ai_edge_litert', None)
    module.Interpreter = interpreter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, 'ai_edge_litert', package)
    monkeypatch.setitem(sys.modules, 'ai_edge_litert.interpreter', module)
    with zipfile.ZipFile(folder / 'mediapipe.whl', 'w') as archive:
        archive.writestr(member, b'model')
    return folder / 'mediapipe.whl'
