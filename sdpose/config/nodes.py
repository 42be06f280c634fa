"""Walking over a config: data sets below wrappers, classes behind names, sizes, metrics, paths."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.registry import Registry

from sdpose.errors import ConfigError

# Below these keys stands data, where ``type`` is a word like any other: the half of the body that a joint belongs to.
DATA_KEYS = ('metainfo', 'dataset_info', 'keypoint_info', 'skeleton_info')


def resolve_type(part: dict[str, Any], registry: Registry) -> type | None:
    """The class that a part's config stands for, by name or itself; None if it names none that is registered.

    A dict of data may have a ``type``, too. MMEngine's own look-up ends with a ``RuntimeError`` on an empty one, and
    imports a module of the name, whatever it is.
    """
    kind = part.get('type')
    if isinstance(kind, str):
        kind = _look_up(kind, registry)
    return kind if isinstance(kind, type) else None


def _look_up(name: str, registry: Registry) -> Any:
    """What is registered under a name; one with a dot may stand for a class in a module, or in another registry."""
    if '.' in name:
        try:
            return registry.get(name)
        except RuntimeError:
            return None
    registry.import_from_location()
    node: Registry | None = registry
    while node is not None:
        if name in node.module_dict:
            return node.module_dict[name]
        node = node.parent
    return None


def inner_datasets(dataset: Any) -> list[Any]:
    """What a data set wraps: its ``dataset`` and its ``datasets``, of a config or of a built one."""
    if isinstance(dataset, dict):
        inner = [dataset.get('dataset'), *(dataset.get('datasets') or [])]
    else:
        inner = [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', [])]
    return [each for each in inner if each is not None]


def iter_datasets(dataset: Any) -> Iterator[Any]:
    """A data set and all those below it, of a config or built; none for None."""
    if dataset is not None:
        yield dataset
        for each in inner_datasets(dataset):
            yield from iter_datasets(each)


class Above(NamedTuple):
    """What a data set lies below.

    Attributes:
        wrappers: The configs of the data sets that it is a part of, the innermost first.
        keys: The way to it from the whole: ``('datasets', '0')``.
    """

    wrappers: tuple[dict[str, Any], ...] = ()
    keys: tuple[str, ...] = ()


def iter_leaves(dataset: Any, above: Above | None = None) -> Iterator[tuple[dict[str, Any], Above]]:
    """The data sets of a config that read files themselves, each with what it lies below; none for None."""
    if dataset is None:
        return
    above = above or Above()
    if not inner_datasets(dataset):
        yield dataset, above
    for key, inner in (('dataset', [dataset.get('dataset')]), ('datasets', dataset.get('datasets') or [])):
        for place, each in enumerate(inner):
            keys = (key, str(place)) if key == 'datasets' else (key,)
            yield from iter_leaves(each, Above((dataset, *above.wrappers), (*above.keys, *keys)))


def split_datasets(cfg: Config, split: str) -> list[dict[str, Any]]:
    """The data sets of ``'train'``, ``'val'`` or ``'test'``, wrappers and what they wrap."""
    return list(iter_datasets((cfg.get(f'{split}_dataloader') or {}).get('dataset')))


def holds_metrics(evaluators: Any) -> bool:
    """Whether an evaluator's config is no metric's, but that of a part which holds several."""
    return isinstance(evaluators, dict) and 'metrics' in evaluators


def with_metrics(evaluators: Any, metrics: list[dict[str, Any]]) -> Any:
    """An evaluator's config with other metrics in their place."""
    return dict(evaluators, metrics=metrics) if holds_metrics(evaluators) else metrics


def as_list(evaluators: Any) -> list[dict[str, Any]]:
    """The metrics' configs of a ``val_evaluator`` or ``test_evaluator``, which may be one, several or none.

    Those of an evaluator that holds metrics, such as MMPose's ``MultiDatasetEvaluator``, are its metrics.
    """
    if holds_metrics(evaluators):
        return as_list(evaluators['metrics'])
    if isinstance(evaluators, (list, tuple)):
        return list(evaluators)
    return [evaluators] if evaluators else []


def input_size(cfg: Config) -> tuple[int, int]:
    """(w, h) of the images that a config's model gets: its codec's, or ``input_size`` of a config without one.

    Raises:
        ConfigError: If there is neither.
    """
    codec = (cfg.model.get('head') or {}).get('decoder') or cfg.get('codec') or cfg
    if 'input_size' not in codec:
        raise ConfigError(
            f'{cfg.filename} has no codec and no input_size, so the input size is unknown: '
            'inherit a data set base of configs/_base_/datasets'
        )
    return tuple(codec['input_size'])


def use_ground_truth_boxes(dataset: dict[str, Any]) -> None:
    """Switch a data set's config, wrapped or not, from detections to annotated boxes, in place.

    The score threshold for detections is dropped with them; the metric needs no change, since an annotated box has
    score 1.
    """
    for each in iter_datasets(dataset):
        if each.get('bbox_file'):
            each['bbox_file'] = None
            if each.get('filter_cfg'):
                each['filter_cfg'].pop('bbox_score_thr', None)


def moved(node: Any, before: str, after: str) -> Any:
    """A part of a config in which every path that begins with one folder begins with another."""
    if isinstance(node, dict):
        return {key: moved(value, before, after) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(moved(value, before, after) for value in node)
    if isinstance(node, str) and node.startswith(before):
        return os.path.join(after, '') + node[len(before) :]
    return node


def is_first_process(cfg: Config) -> bool:
    """Whether this is the first of a run's processes; the environment's rank counts only under a launcher."""
    rank = os.environ.get('RANK', os.environ.get('SLURM_PROCID', '0'))
    return cfg.get('launcher', 'none') == 'none' or rank == '0'
