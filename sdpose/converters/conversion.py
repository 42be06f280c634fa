"""What was found in a released checkpoint, and how it is told."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from sdpose.config.find import config_dir

from .identify import SHARED, Fit
from .metadata import dataset_type

_REASONS = {
    SHARED: 'which have the same keys (transformer_layer1)',
    'TokenPose': 'told from SDPose and PPT by the name of its transformer alone',
    'SDPose-Reg': 'token regression with the flow of its likelihood',
    'DistilPose': 'token regression without a flow',
}
_CAVEAT = (
    'Cycles, pruning, attention heads and the scale of the scores leave no trace in weights: they are those '
    'of the config.'
)
_AMBIGUOUS = 'SDPose and PPT have the same keys: SDPose was taken. For a PPT checkpoint name its config with --config.'


@dataclass
class Conversion:
    """A released checkpoint in this project's layout.

    Attributes:
        method: What its keys say: a method, or the two that share them.
        chosen: The config whose model it fills.
        model: That model with the weights, on the CPU.
        position_error: Largest difference between the stored position embedding and the recomputed one; None if it
            was learned.
        alternatives: Names of the other configs that the same weights fill.
        forced: Whether the config was given, not found.
    """

    method: str
    chosen: Fit
    model: nn.Module
    position_error: float | None
    alternatives: list[str] = field(default_factory=list)
    forced: bool = False

    def report(self) -> str:
        """What was found, one fact per line."""
        model: Any = self.model
        neck, config, tokenizer = self.chosen.config.model.neck, self.chosen.config, model.neck.tokenizer
        patch, grid = neck.patch_size, tokenizer.grid_size
        position = (
            'learned'
            if self.position_error is None
            else f'recomputed, differs from the stored one by {self.position_error:.1e} at most'
        )
        found = {
            'method by its keys': f'{self.method}, {_REASONS[self.method]}',
            'config': f'{shown(self.chosen.file)} ({"as given" if self.forced else "found"})',
            'model': f'{config.model.backbone.type}, {len(model.neck.layers)} layers, '
            f'{grid[0] * grid[1]} patches of {patch[0]}x{patch[1]} (w x h), {type(model.head).__name__}',
            'joints': f'{tokenizer.num_queries} ({dataset_type(config)})',
            'loaded strictly': f'{self.chosen.difference.matched} tensors, nothing missing or left over',
            'position embedding': position,
        }
        lines = [f'{name:<20}{value}' for name, value in found.items()]
        if self.alternatives:
            lines.append(f'{"fits as well":<20}{", ".join(self.alternatives)}')
        lines.append(_CAVEAT)
        if self.alternatives and self.method == SHARED:
            lines.append(_AMBIGUOUS)
        return '\n'.join(lines)


def shown(file: Path) -> str:
    """A shipped config's path as commands take it, from any folder; another path as it is."""
    folder = config_dir()
    return str(Path('configs') / file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
