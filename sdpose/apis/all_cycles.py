"""What ``--all-cycles`` makes of a config: one pass over the test data that evaluates every cycle."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmpose.registry import MODELS

from sdpose.config.nodes import resolve_type
from sdpose.errors import ConfigError
from sdpose.models.transformers import MultiCycledTransformer


def count_cycles(cfg: Config, option: str = '--all-cycles') -> int:
    """How many cycles the model of a config has: those it is trained with, ``model.neck.num_cycles``.

    Args:
        cfg: The config.
        option: What asks for it, for messages.

    Raises:
        ConfigError: If the model has no cycles, cannot predict each of them, or the config brings its own test loop.
    """
    model = cfg.get('model') or {}
    neck = model.get('neck') or {}
    kind = resolve_type(neck, MODELS)
    if kind is None or not issubclass(kind, MultiCycledTransformer):
        raise ConfigError(
            f'{option} needs a model with cycles, but model.neck.type is {neck.get("type")}, not '
            'MultiCycledTransformer; test it without that flag'
        )
    if not hasattr(resolve_type(model, MODELS), 'predict_cycles'):
        raise ConfigError(
            f'{option} needs a model that predicts every cycle, but {model.get("type")} has no '
            'predict_cycles; use DistillPoseEstimator or a class derived from it'
        )
    loop = (cfg.get('test_cfg') or {}).get('type', 'TestLoop')
    if loop not in ('TestLoop', 'AllCyclesTestLoop', 'HaltingTestLoop'):
        raise ConfigError(f'{option} replaces the test loop, but test_cfg.type is {loop}')
    return neck.get('num_cycles', 1)


def use_all_cycles(cfg: Config, evaluators: list[list[dict[str, Any]]]) -> None:
    """Let a config's test evaluate every cycle, with these metrics for each."""
    cfg.test_cfg = dict(cfg.get('test_cfg') or {}, type='AllCyclesTestLoop')
    cfg.test_evaluator = dict(type='CycleEvaluator', metrics=evaluators)


def of_cycle(path: str | None, number: int) -> str | None:
    """The file of one cycle: ``results.cycle1.json`` for ``results.json``; None for None."""
    if path is None:
        return None
    return str(Path(path).with_suffix(f'.cycle{number}{Path(path).suffix}'))
