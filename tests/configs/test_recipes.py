"""Every config is what its recipe says: no value that decides AP can change without a word."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mmengine.registry import OPTIMIZERS, init_default_scope
from mmpose.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    KEYPOINT_CODECS,
    METRICS,
    MODELS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    WEIGHT_INITIALIZERS,
)
from recipe_table import Pinned, parts, recipe, rows

from sdpose.config.load import load_config

CONFIGS = Path(__file__).parents[2] / 'configs'
LEAVES = sorted(
    path.relative_to(CONFIGS).with_suffix('').as_posix() for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts
)
SECTIONS = (
    'num_keypoints',
    'codec',
    'model',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'val_evaluator',
    'test_evaluator',
    'optim_wrapper',
    'param_scheduler',
    'train_cfg',
    'auto_scale_lr',
    'custom_hooks',
    'randomness',
    'default_hooks',
    'load_from',
    'resume',
)
# What decides speed or looks alone.
IGNORED = {
    '_scope_',
    'num_workers',
    'persistent_workers',
    'color',
    'skeleton_info',
    'timer',
    'logger',
    'visualization',
    'badcase',
}
REGISTRIES = (
    MODELS,
    DATASETS,
    TRANSFORMS,
    HOOKS,
    METRICS,
    KEYPOINT_CODECS,
    PARAM_SCHEDULERS,
    OPTIMIZERS,
    DATA_SAMPLERS,
    WEIGHT_INITIALIZERS,
)
PARTS, ROWS = parts(), rows()
ABSENT = object()


def flat(value: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """Full keys and values of a config, without what is ignored."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in IGNORED:
                yield from flat(item, f'{key}.{name}' if key else str(name))
    elif isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from flat(item, f'{key}[{number}]')
    else:
        yield key, list(value) if isinstance(value, tuple) else value


def default(kind: str, name: str) -> Any:
    """What the class of a part takes if the config does not say."""
    for registry in REGISTRIES:
        found = registry.get(kind)
        if found is not None:
            for owner in inspect.getmro(found):
                parameter = inspect.signature(owner.__init__).parameters.get(name)
                if parameter is not None and parameter.default is not inspect.Parameter.empty:
                    value = parameter.default
                    return list(value) if isinstance(value, tuple) else value
            return ABSENT
    return ABSENT


def differences(found: dict[str, Any], expected: dict[str, Pinned]) -> list[str]:
    """One line for each value that is not the recipe's, and for each that the recipe does not name."""
    lines = []
    for key, (value, source) in expected.items():
        place, _, name = key.rpartition('.')
        actual, where = found.get(key, ABSENT), ''
        if actual is ABSENT and f'{place}.type' in found:
            actual = default(found[f'{place}.type'], name)
            where = f', the default of {found[f"{place}.type"]}'
        if actual is ABSENT:
            lines.append(f'{key} is missing, the recipe says {value!r} ({source})')
        elif actual != value or isinstance(actual, bool) != isinstance(value, bool):
            lines.append(f'{key} is {actual!r}{where}, the recipe says {value!r} ({source})')
    lines += [
        f'{key} is {value!r}, and the recipe does not name it' for key, value in found.items() if key not in expected
    ]
    return lines


def resolved(leaf: str) -> dict[str, Any]:
    config = load_config(CONFIGS / f'{leaf}.py').to_dict()
    return dict(flat({section: config[section] for section in SECTIONS if section in config}))


def test_every_config_has_a_recipe_and_every_recipe_a_config() -> None:
    missing, gone = sorted(set(LEAVES) - ROWS.keys()), sorted(ROWS.keys() - set(LEAVES))
    assert not missing, f'recipes/rows.yml has no row for {", ".join(missing)}: add its parts and their sources'
    assert not gone, f'recipes/rows.yml has rows for {", ".join(gone)}, which do not exist'


def test_every_value_has_a_source_and_every_part_a_row() -> None:
    used = {name for row in ROWS.values() for name in row['parts']}
    assert used == PARTS.keys()
    assert all(block['source'].strip() for blocks in PARTS.values() for block in blocks)
    assert [leaf for leaf, row in ROWS.items() if ('own' in row) != bool(row.get('source', '').strip())] == []


@pytest.mark.parametrize('leaf', LEAVES)
def test_resolved_config_is_the_recipe(leaf: str) -> None:
    init_default_scope('mmpose')
    if leaf not in ROWS:
        pytest.fail(f'recipes/rows.yml has no row for {leaf}')
    lines = differences(resolved(leaf), recipe(ROWS[leaf], PARTS))
    assert not lines, f'{leaf}:\n  ' + '\n  '.join(lines)


def test_a_difference_names_value_recipe_and_source() -> None:
    init_default_scope('mmpose')
    leaf = 'sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-256x192'
    found, expected = resolved(leaf), recipe(ROWS[leaf], PARTS)
    found['model.neck.num_heads'] = 4
    found['model.neck.qkv_bias'] = True
    found['optim_wrapper.clip_grad.max_norm'] = 1.0
    del found['model.head.loss.use_target_weight'], found['codec.sigma']
    shown = differences(found, expected)
    assert [line.partition(' (')[0] for line in shown] == [
        'codec.sigma is missing, the recipe says 2',
        'model.neck.num_heads is 4, the recipe says 8',
        'model.neck.qkv_bias is True, the recipe says False',
        'model.head.loss.use_target_weight is False, the default of KeypointMSELoss, the recipe says True',
        'optim_wrapper.clip_grad.max_norm is 1.0, and the recipe does not name it',
    ]
    assert 'released SDPose and TokenPose configs' in shown[1]
