"""What every cycle adapter shares: a change of the tokens before a cycle, or of the layers within it, from cycle 2 on.

Shapes: B batch, T tokens, D width.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.config.nodes import resolve_type
from sdpose.errors import ConfigError
from sdpose.models.pruners import BasePruner
from sdpose.structures import TokenSet


class CycleAdapter(nn.Module):
    """Parameters of their own for every cycle from the second on; a method of one's own writes one method, or both.

    Cycle 1, which is deployed, never passes it, so that keys, cost and output of the deployed model are those of the
    plain one. A new adapter must change nothing: its parameters start where tokens and layers are what they were.

    Args:
        layers: The layers that all cycles share, for their sizes.
        num_cycles: How many cycles there are, the first one included.

    Attributes:
        forgets: Whether :meth:`enter` leaves nothing of the tokens that it is given.
    """

    forgets = False

    def __init__(self, layers: Sequence[Any], num_cycles: int) -> None:
        super().__init__()
        self.later = num_cycles - 1
        self.dim = int(layers[0].norm1.normalized_shape[0])

    def require_use(self, pruner: BasePruner | None) -> None:
        """Refuse a model in which it would change nothing; called when the neck is built.

        Args:
            pruner: The neck's.

        Raises:
            ValueError: If so.
        """

    def enter(self, tokens: TokenSet, start: TokenSet, cycle: int) -> TokenSet:
        """The tokens that a cycle begins with: as many as it is given, or as there are in ``start``.

        Args:
            tokens: Those that the cycle before it ended with.
            start: Those that the first cycle began with, all of them.
            cycle: The cycle, from 2.
        """
        return tokens

    def layer(self, layer: Any, index: int, cycle: int) -> Any:
        """What takes a layer's place in a cycle: see :func:`with_parts`.

        Args:
            layer: The layer that all cycles share.
            index: Its place, from 0.
            cycle: The cycle, from 2.
        """
        return layer


class CycleAdapters(nn.ModuleList):
    """Several adapters, one after the other."""

    @classmethod
    def of(
        cls,
        configs: dict | list | None,
        layers: Sequence[Any],
        num_cycles: int,
        test_cycles: int,
        pruner: BasePruner | None,
    ) -> 'CycleAdapters | None':
        """The adapters of a config, or of a list of configs; None for none.

        Args:
            configs: ``model.neck.cycle_adapter``.
            layers: The layers that all cycles share.
            num_cycles: How many cycles there are.
            test_cycles: How many are deployed.
            pruner: The neck's.

        Raises:
            ValueError: If no cycle is left to adapt, an adapted one is deployed, a config is no adapter's, an adapter
                does not fit the pruner, or one after it would undo it.
        """
        if not configs:
            return None
        if num_cycles < 2:  # parameters that nothing trains
            raise ValueError('cycle_adapter adapts the cycles from the second on: set num_cycles to 2 or more')
        if test_cycles > 1:
            raise ValueError(
                f'cycle_adapter belongs to training and is not published, but test_cycles={test_cycles} deploys a '
                'cycle that needs it: set test_cycles to 1, or leave cycle_adapter out'
            )
        adapters = []
        for config in configs if isinstance(configs, (list, tuple)) else [configs]:
            if given := {'layers', 'num_cycles'}.intersection(config):
                raise ValueError(f'cycle_adapter sets {min(given)}, which it gets from the neck')
            kind = resolve_type(config, MODELS)
            if kind is None or not issubclass(kind, CycleAdapter):  # its constructor would refuse what it never takes
                raise ValueError(f'cycle_adapter: {config.get("type")} is not derived from CycleAdapter')
            adapters.append(MODELS.build(dict(config, layers=layers, num_cycles=num_cycles)))
            adapters[-1].require_use(pruner)
            entered = [each for each in adapters[:-1] if type(each).enter is not CycleAdapter.enter]
            if adapters[-1].forgets and entered:  # parameters that nothing trains
                raise ValueError(
                    f'cycle_adapter: what {type(entered[0]).__name__} makes of the tokens is lost in '
                    f'{type(adapters[-1]).__name__} after it: name {type(adapters[-1]).__name__} first'
                )
        return cls(adapters)

    def enter(self, tokens: TokenSet, start: TokenSet, cycle: int) -> TokenSet:
        """As :meth:`CycleAdapter.enter`.

        Raises:
            ConfigError: If an adapter returns other tokens than it was given.
        """
        for adapter in self:
            shape = tokens.sequence.shape
            tokens = adapter.enter(tokens, start, cycle)  # type: ignore[operator]  # an adapter's
            if tokens.sequence.shape not in (shape, start.sequence.shape):  # broadcasting is silent
                raise ConfigError(
                    f'{type(adapter).__name__}.enter made tokens of {tuple(tokens.sequence.shape)} out of '
                    f'{tuple(shape)}'
                )
        return tokens

    def layer(self, layer: Any, index: int, cycle: int) -> Any:
        """As :meth:`CycleAdapter.layer`."""
        for adapter in self:
            layer = adapter.layer(layer, index, cycle)  # type: ignore[operator]  # an adapter's
        return layer

    def touched(self, tokens: TokenSet) -> TokenSet:
        """The tokens as they are, with a gradient of zero for every adapter.

        Of a step that runs fewer cycles than there are: a distributed training waits for the gradient of every
        parameter, and an optimizer treats a step the same however many processes there are.
        """
        zero: Tensor = sum(0 * parameter.sum() for parameter in self.parameters())  # type: ignore[assignment]
        return tokens._replace(sequence=tokens.sequence + zero)


def with_parts(module: Any, **parts: nn.Module) -> Any:
    """A module with others in the place of some of its parts; everything else is shared with the original.

    Args:
        module: The original, which stays as it is.
        **parts: The parts, by their names in it.
    """
    changed = copy.copy(module)
    changed._modules = {**module._modules, **parts}
    return changed


def normal_apart(parameter: Tensor, std: float) -> None:
    """Draw a parameter from a normal, and leave torch's generator as it is: the other weights are a plain model's."""
    with torch.random.fork_rng(devices=[]):
        nn.init.normal_(parameter, std=std)
