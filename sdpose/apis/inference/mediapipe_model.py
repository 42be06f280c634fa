"""Models of MediaPipe, run offline.

Their files are Google's under Apache-2.0 and are no part of this project: they lie in the wheel of mediapipe 0.10.21.
"""

import zipfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from sdpose.errors import UserError


def load_mediapipe_model(
    member: str, file: str | None, option: str, outputs: set[tuple[int, ...]]
) -> tuple[Any, int, dict[tuple[int, ...], int]]:
    """A model of MediaPipe's, ready to run.

    Args:
        member: Its file below the folder of installed packages, such as
            ``mediapipe/modules/pose_detection/pose_detection.tflite``.
        file: That file elsewhere, or a wheel that holds it; None for that of an installed mediapipe.
        option: Of the command line, for messages: what ``mediapipe=WHEEL`` is given to.
        outputs: The shapes that its outputs must have, without the batch of one.

    Returns:
        The interpreter, the number of its input, and the numbers of its outputs by shape.

    Raises:
        UserError: If the file or what runs it is missing, or it is another model.
    """
    cure = (
        'pip install ai-edge-litert, pip download mediapipe==0.10.21 --no-deps, and name the wheel: '
        f'{option} mediapipe=mediapipe-0.10.21-....whl'
    )
    if find_spec('ai_edge_litert') is None:
        raise UserError(f'{option} mediapipe needs the package ai-edge-litert: {cure}')
    interpreter = import_module('ai_edge_litert.interpreter').Interpreter
    try:
        model: Any = interpreter(model_content=_content(member, file, cure), num_threads=torch.get_num_threads())
        model.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise UserError(f'{file or member} is no model that can be run: {error}') from error
    places = {tuple(map(int, each['shape'][1:])): each['index'] for each in model.get_output_details()}
    if not outputs <= {*places}:
        raise UserError(f'{file or member} is another model than {member}: its outputs differ')
    return model, model.get_input_details()[0]['index'], places


def _content(member: str, file: str | None, cure: str) -> bytes:
    """The model's file.

    Raises:
        UserError: If it cannot be found or read.
    """
    if file is None:
        package = find_spec('mediapipe')
        folder = Path(package.origin).parents[1] if package is not None and package.origin else Path('nowhere')
        file = str(folder / member)
        if not Path(file).is_file():
            raise UserError(f'no installed mediapipe holds {member} (0.10.21 does, newer ones do not): {cure}')
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as wheel:
                return wheel.read(member)
        return Path(file).read_bytes()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f'{file} cannot be read, or holds no {member} ({error}): {cure}') from error
