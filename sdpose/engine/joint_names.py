"""Weights of single joints, taken over by the joints' names where a model is tuned to other joints."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sdpose.config.joint_sides import same_joints


class Matched(NamedTuple):
    """What :func:`match_joints` did.

    Attributes:
        weights: The weights with the rows of the model's joints.
        kept: Names of the joints whose rows are the checkpoint's.
        new: Names of the joints that the checkpoint does not know.
        left_out: Names of the joints that only the checkpoint knows.
    """

    weights: dict[str, Tensor]
    kept: list[str]
    new: list[str]
    left_out: list[str]


def match_joints(
    model: nn.Module, weights: Mapping[str, Tensor], learned: Sequence[str], wanted: Sequence[str]
) -> Matched | None:
    """Give a model's joints the rows that a checkpoint has for joints of the same names.

    A module names its tensors (1, K + n, D) whose first K rows belong to the joints in ``joint_rows``. A joint that the
    checkpoint does not know starts from the mean of the rows that are taken over. How a name is spelt makes no
    difference, as ``left_hip``, ``Left Hip`` and ``lHip`` show.

    Args:
        model: The model that is to be filled.
        weights: The named weights of a checkpoint.
        learned: Names of the checkpoint's joints, in its order.
        wanted: Names of the model's joints, in its order.

    Returns:
        What was done; None if there is nothing to do: the joints are the same in the same order, a side does not name
        them, or no tensor belongs to joints.
    """
    places = {joint: place for place, joint in enumerate(same_joints(learned))}
    rows = [places.get(joint) for joint in same_joints(wanted)]
    keys = [
        f'{where}.{name}'.lstrip('.')
        for where, module in model.named_modules()
        for name in getattr(module, 'joint_rows', ())
        if module.num_queries == len(wanted)
    ]
    keys = [key for key in keys if key in weights and weights[key].shape[1] >= len(learned)]
    if not keys or not learned or rows == [*range(len(learned))]:
        return None
    kept = {name: row for name, row in zip(wanted, rows) if row is not None}
    taken = {*kept.values()}
    if kept:
        weights = {**weights, **{key: _rearranged(weights[key], rows, len(learned)) for key in keys}}
    return Matched(
        dict(weights),
        [*kept],
        [name for name, row in zip(wanted, rows) if row is None],
        [name for place, name in enumerate(learned) if place not in taken],
    )


def _rearranged(tensor: Tensor, rows: Sequence[int | None], count: int) -> Tensor:
    """The first ``count`` rows of a tensor (1, count + n, D) in another order, (1, len(rows) + n, D)."""
    mean = tensor[:, [row for row in rows if row is not None]].mean(dim=1, keepdim=True)  # (1, 1, D)
    joints = [mean if row is None else tensor[:, row : row + 1] for row in rows]
    return torch.cat([*joints, tensor[:, count:]], dim=1)
