"""Whether a checkpoint's weights are those of a model, said in one table; writing one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from sdpose.errors import CheckpointError, MismatchError, UserError

from .atomic import atomic_write
from .weights_file import unwrapped

# Batch counters are absent from weights saved by very old releases and play no part where momentum is fixed.
_OPTIONAL = 'num_batches_tracked'
# What the cycles behind the deployed one have of their own.
CYCLE_ADAPTER = 'neck.cycle_adapter.'
# Parts that a deployed model does not have, by the beginning of their keys: the flow of a likelihood, adapters.
TRAINING_ONLY = ('head.loss_module.', 'distiller.', CYCLE_ADAPTER)
# The entry of a published checkpoint's meta that names the training-only tensors it was published without.
STRIPPED = 'stripped'
# What a head has that also predicts whether joints can be seen.
_VISIBILITY = 'head.visibility.'
_REMOTE = '://'
# Of each kind of difference, in an error: a hundred rows tell no more than these, and hide what is said above them.
ROWS_SHOWN = 20


@dataclass
class Comparison:
    """The keys in which two sets of weights differ.

    Attributes:
        missing: Keys of the model that the checkpoint lacks, with the model's shape.
        unexpected: Keys of the checkpoint that the model lacks, with the checkpoint's shape.
        misshaped: Keys of both, with the model's and the checkpoint's shape.
        matched: How many keys agree.
    """

    missing: dict[str, tuple[int, ...]] = field(default_factory=dict)
    unexpected: dict[str, tuple[int, ...]] = field(default_factory=dict)
    misshaped: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    matched: int = 0

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.missing or self.unexpected or self.misshaped)

    def summary(self) -> str:
        """The counts in one clause."""
        return (
            f'{len(self.missing)} keys missing, {len(self.unexpected)} unexpected, {len(self.misshaped)} of '
            f'another shape, {self.matched} matched'
        )

    def table(self, most: int | None = None) -> str:
        """One row per differing key: what is wrong, the key, the model's shape, the checkpoint's shape.

        Args:
            most: How many rows there are of each kind, followed by one that counts the others; None for all.
        """
        kinds = (
            [('missing', key, _text(shape), '-') for key, shape in self.missing.items()],
            [('unexpected', key, '-', _text(shape)) for key, shape in self.unexpected.items()],
            [('shape', key, _text(ours), _text(theirs)) for key, (ours, theirs) in self.misshaped.items()],
        )
        rows = [('', 'key', 'model', 'checkpoint')]
        for kind in kinds:
            rows += kind[:most]
            if most is not None and len(kind) > most:
                rows.append((kind[0][0], f'and {len(kind) - most} more', '', ''))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return '\n'.join(lines)


def weights_of(checkpoint: Mapping, source: str = 'the checkpoint') -> dict[str, Tensor]:
    """The named weights of a loaded checkpoint.

    Accepts MMEngine's and MMCV's layout (``state_dict`` beside other entries) and a bare state dict. Prefixes
    ``module.`` and ``_orig_mod.`` left by a parallel or a compiled model are removed, in any order and number.

    Args:
        checkpoint: The checkpoint.
        source: What messages call it.

    Raises:
        MismatchError: If it holds no weights.
        CheckpointError: If it holds the same weights under two names.
    """
    state = checkpoint.get('state_dict', checkpoint) if isinstance(checkpoint, Mapping) else {}
    weights = dict(unwrapped({key: value for key, value in state.items() if isinstance(value, Tensor)}, source))
    if not weights:
        keys = sorted(map(str, checkpoint))[:8] if isinstance(checkpoint, Mapping) else type(checkpoint).__name__
        raise MismatchError(f'{source} holds no weights: expected named tensors or a "state_dict", found {keys}')
    return weights


def read_weights(source: str, name: str, cure: str, model: nn.Module | None = None) -> dict[str, Tensor]:
    """The named weights of a checkpoint file or web address.

    Args:
        source: Path or address.
        name: What the message calls it.
        cure: The sentence that ends the message.
        model: The model that they are for; its own values stand in for what a published file was stripped of.

    Raises:
        MismatchError: If the file does not exist, cannot be fetched, is torn or holds no weights.
    """
    try:
        checkpoint = CheckpointLoader.load_checkpoint(source, map_location='cpu')
    except (OSError, CheckpointError) as error:
        raise MismatchError(f'{name} {source} cannot be loaded ({error}). {cure}') from error
    weights = weights_of(checkpoint, f'{name} {source}')
    return {**weights, **(stripped_of(model, checkpoint) if model is not None else {})}


def meta_of(checkpoint: Any) -> Mapping:
    """The ``meta`` of a loaded checkpoint, empty where there is none."""
    meta = checkpoint.get('meta') if isinstance(checkpoint, Mapping) else None
    return meta if isinstance(meta, Mapping) else {}


def labels_of(dataset_meta: Any) -> tuple[str, ...]:
    """The names of the joints, or of the classes, in the order in which a model predicts them; empty if not said.

    Args:
        dataset_meta: ``metainfo`` of a data set, which MMEngine keeps in a checkpoint's meta as ``dataset_meta``.
    """
    meta = dataset_meta if isinstance(dataset_meta, Mapping) else {}
    joints, classes = meta.get('keypoint_id2name'), meta.get('classes')
    if isinstance(joints, Mapping) and all(isinstance(number, int) for number in joints):
        return tuple(str(joints[number]) for number in sorted(joints))
    return tuple(map(str, classes)) if isinstance(classes, Sequence) else ()


def stripped_of(model: nn.Module, checkpoint: Mapping) -> dict[str, Tensor]:
    """The model's own values of what a published checkpoint lacks by its own word.

    Only training-only tensors count that the file's ``meta`` names as taken out when it was published; anything else
    that is missing stays missing.

    Args:
        model: The model that is to be filled.
        checkpoint: The loaded checkpoint.
    """
    named = {key for key in meta_of(checkpoint).get(STRIPPED, ()) if str(key).startswith(TRAINING_ONLY)}
    named -= set(weights_of(checkpoint))
    return {key: value for key, value in model.state_dict().items() if key in named} if named else {}


def compare(model: nn.Module, weights: Mapping[str, Tensor]) -> Comparison:
    """Compare the keys and shapes of weights with those of a model.

    Args:
        model: The model, or the part of it, that is to be filled.
        weights: Named weights, as :func:`weights_of` returns them.
    """
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    result = Comparison()
    result.missing = {key: shape for key, shape in expected.items() if key not in found and _OPTIONAL not in key}
    result.unexpected = {key: shape for key, shape in found.items() if key not in expected}
    result.misshaped = {
        key: (expected[key], shape) for key, shape in found.items() if key in expected and expected[key] != shape
    }
    result.matched = sum(expected.get(key) == shape for key, shape in found.items())
    return result


def require_match(model: nn.Module, weights: Mapping[str, Tensor], source: str, cure: str) -> None:
    """Raise unless the weights fill the model exactly.

    Args:
        model: The model, or the part of it, that is to be filled.
        weights: Named weights.
        source: What the message calls the weights, usually the file.
        cure: The sentence that ends the message.

    Raises:
        MismatchError: Counting the missing, unexpected and misshaped keys, and listing the first ones in one table; in
            one line if all that differs is whether a head predicts visibility.
    """
    difference = compare(model, weights)
    if said := _say_visibility(difference):
        raise MismatchError(f'{source} {said}. {cure}')
    if difference:
        raise MismatchError(
            f'{source} does not fit the model {type(model).__name__}: {difference.summary()}\n'
            f'{difference.table(ROWS_SHOWN)}\n{cure}'
        )


def _say_visibility(difference: Comparison) -> str | None:
    """What differs, if it is the visibility output of a head alone."""
    keys = [*difference.missing, *difference.unexpected]
    if not keys or difference.misshaped or not all(key.startswith(_VISIBILITY) for key in keys):
        return None
    if difference.missing:
        return 'has no visibility output, which model.head.visibility asks for (None leaves it out)'
    return 'has a visibility output, but model.head.visibility is None (dict() builds it)'


def write_checkpoint(content: Mapping[str, Any], path: str | Path) -> None:
    """Write a checkpoint so that it is complete or absent.

    Raises:
        OSError: Naming the file. Given the file itself, torch's writer says of a full disk that a position is odd.
    """
    buffer = BytesIO()
    torch.save(content, buffer)
    with atomic_write(path) as file:
        file.write(buffer.getbuffer())


def check_checkpoint_path(path: str) -> None:
    """Check that a checkpoint exists and is a file.

    Raises:
        UserError: Naming the path and the checkpoints beside it.
    """
    if _REMOTE in path or Path(path).expanduser().is_file():
        return
    if Path(path).expanduser().is_dir():
        raise UserError(f'checkpoint {path} is a folder: name a .pth file in it')
    if Path(path).expanduser().exists():
        raise UserError(f'checkpoint {path} is no regular file: name a .pth file')
    folder = Path(path).expanduser().parent
    beside = sorted(file.name for file in folder.glob('*.pth'))[:5] if folder.is_dir() else []
    hint = f'; {folder} holds {", ".join(beside)}' if beside else ''
    raise UserError(f'checkpoint {path} does not exist{hint}')


def require_target(source: str, target: str) -> None:
    """Check the name of a checkpoint that is to be written from another one.

    Raises:
        UserError: If it does not end in ``.pth``, is a folder, or is the other one itself.
    """
    if Path(target).suffix != '.pth' or Path(target).is_dir():
        raise UserError(f'{target}: name the file to write, ending in .pth')
    if Path(target).resolve() == Path(source).resolve():
        raise UserError(f'{target} is the checkpoint itself: write the converted one elsewhere')


def _text(shape: tuple[int, ...]) -> str:
    return 'x'.join(map(str, shape)) or 'scalar'
