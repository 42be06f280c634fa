"""Read a checkpoint of the released code and write it as one of this project."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from sdpose.config.building import build_model
from sdpose.config.find import find_config
from sdpose.errors import MismatchError, UserError, first_few
from sdpose.io.checkpoint import (
    ROWS_SHOWN,
    check_checkpoint_path,
    meta_of,
    require_target,
    weights_of,
    write_checkpoint,
)
from sdpose.io.folders import require_writable
from sdpose.io.weights_file import require_finite

from .conversion import Conversion, shown
from .identify import Fit, candidate, fit, method_of, ranked_fits, sine_code
from .metadata import describe

# The released table is computed in float32, ours in float64 and rounded; a file in half precision is rounded coarser.
_POSITION_TOLERANCE = 1e-6
_SHOWN_KEYS = 12


def convert_file(source: str, target: str, config: str | None = None) -> Conversion:
    """Convert a released checkpoint; the optimizer and whatever else is no weight stays behind.

    Args:
        source: Path or address of the checkpoint.
        target: The ``.pth`` to write.
        config: Take this config, and verify that the checkpoint is one of it; None to find the config.

    Raises:
        UserError: If a path is wrong, or the checkpoint is unknown, incomplete or not of that config.
    """
    require_target(source, target)
    check_checkpoint_path(source)
    checkpoint = CheckpointLoader.load_checkpoint(source, map_location='cpu', logger='silent')
    conversion = convert_weights(weights_of(checkpoint, source), source, config)
    meta = describe(conversion.chosen.config, conversion.chosen.file)
    meta.update(converted_from=Path(source).name, method=conversion.method)
    if isinstance(epoch := meta_of(checkpoint).get('epoch'), int):
        meta['source_epoch'] = epoch
    require_writable(Path(target).absolute().parent, target)
    write_checkpoint(dict(meta=meta, state_dict=conversion.model.state_dict()), target)
    return conversion


def convert_weights(state: Mapping[str, Tensor], source: str, config: str | None = None) -> Conversion:
    """Find a released model's config, or verify the given one, and fill its model strictly.

    Args:
        state: Released key to tensor, without ``module.``.
        source: What messages call the checkpoint.
        config: As for :func:`convert_file`.

    Raises:
        MismatchError: If the keys are not those of a released model, or no config (or not the given one) has its model
            and its position embedding.
        NonFiniteError: If a tensor holds NaN.
    """
    _check_keys(state, source)
    if config is None:
        chosen, *others = ranked_fits(state)
    else:
        chosen, others = fit(state, candidate(_existing(config))), []
    if chosen.difference:
        raise MismatchError(_refusal(source, chosen, forced=config is not None))
    model = _filled(chosen)
    error = _position_error(model, chosen, source)
    alternatives = [each.file.stem for each in others if not each.difference]
    return Conversion(method_of(state), chosen, model, error, alternatives, config is not None)


def _check_keys(state: Mapping[str, Tensor], source: str) -> None:
    if any(key.startswith('neck.tokenizer.') for key in state):
        raise MismatchError(f'{source} has the layout of this project already: use it as it is')
    if not any(key.startswith(('keypoint_head.tokenpose.', 'keypoint_head.tokenhead.')) for key in state):
        raise MismatchError(
            f'{source} is no checkpoint of the released SDPose, TokenPose, PPT, DistilPose or RLE '
            'code: no key starts with keypoint_head.tokenpose. or keypoint_head.tokenhead.; it holds '
            f'{first_few(sorted(state), _SHOWN_KEYS)}'
        )
    require_finite(state, source)


def _existing(config: str) -> Path:
    try:
        return find_config(config)
    except (FileNotFoundError, ValueError) as error:
        raise UserError(f'--config: {error}') from error


def _refusal(source: str, closest: Fit, forced: bool) -> str:
    problem = (
        f'{source} is no checkpoint of {shown(closest.file)}'
        if forced
        else f'{source} fills the model of no config here; the closest is {shown(closest.file)}'
    )
    cure = (
        ''
        if forced
        else '\nIf the file is complete and was trained with other sizes, write a config for it and '
        'name it with --config.'
    )
    return f'{problem}: {closest.difference.summary()}\n{closest.difference.table(ROWS_SHOWN)}{cure}'


def _filled(chosen: Fit) -> nn.Module:
    """The config's model with the weights; batch counters that very old files lack stay zero."""
    model = build_model(chosen.config.model)
    counters = {key: value for key, value in model.state_dict().items() if key not in chosen.converted.weights}
    model.load_state_dict({**counters, **chosen.converted.weights}, strict=True)
    return model.eval()


def _position_error(model: Any, chosen: Fit, source: str) -> float | None:
    stored = chosen.converted.position
    if stored is None:
        return None
    error = (sine_code(model.neck.tokenizer) - stored.float()).abs().max().item()
    tolerance = max(_POSITION_TOLERANCE, torch.finfo(stored.dtype).eps)
    if not error <= tolerance:
        raise MismatchError(
            f'{source}: its pos_embedding differs by {error:.1e} from the sine code of '
            f'{shown(chosen.file)} (at most {tolerance:.0e} is rounding): it was trained on '
            'another patch grid or with another code'
        )
    return error
