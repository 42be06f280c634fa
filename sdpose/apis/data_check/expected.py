"""Where each file of the public data sets is expected, what everybody's copy holds, and what is missing here."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from sdpose.apis.tables.known_data import FACTS, facts_of_folder, in_words
from sdpose.apis.tables.plan_file import read_plan
from sdpose.config.find import config_dir
from sdpose.config.nodes import iter_leaves
from sdpose.errors import DataError
from sdpose.io.annotation_store import open_store
from sdpose.io.json_file import read_json
from sdpose.preflight.results import PERSON

_SPLITS = ('train', 'val', 'test')


def expected_files(cfg: Config) -> list[str]:
    """Compare the files of a public data set, if a config reads one, with those that everybody has.

    Sizes and counts are those of the tables file by which a reproduction refuses other data.

    Returns:
        A line for the data set, and one for each file or folder; nothing for other data.
    """
    plan = read_plan(config_dir() / 'sdpose/tables.yml')
    lines: list[str] = []
    for root, names in _read_by(cfg).items():
        for name, data in plan.scales['full'].data.items():
            if names & {os.path.normpath(each) for each in data.known} and _has_classes(cfg, data.known):
                lines.append(f'{root or "."} should be {name}, whose files are, as everybody has them:')
                lines += [f'  {_line(Path(root) / file, wanted)}' for file, wanted in data.known.items()]
    return lines


def _read_by(cfg: Config) -> dict[str, set[str]]:
    """What a config reads below each data root: annotation files, and folders of classes."""
    found: dict[str, set[str]] = {}
    for split in _SPLITS:
        for dataset, _ in iter_leaves((cfg.get(f'{split}_dataloader') or {}).get('dataset')):
            folder = (dataset.get('data_prefix') or {}).get('img', '')
            name = dataset.get('ann_file') or folder
            found.setdefault(dataset.get('data_root') or '', set()).add(os.path.normpath(name))
    return found


def _has_classes(cfg: Config, known: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the model knows as many classes as the data set has: its folders have names like any other's."""
    wanted = {facts['classes'] for facts in known.values() if 'classes' in facts}
    return not wanted or (cfg.get('model', {}).get('head') or {}).get('num_classes') in wanted


def _line(path: Path, wanted: Mapping[str, Any]) -> str:
    """One file or folder: what it should hold, and what is there."""
    should = ', '.join(f'{in_words(value)} {FACTS[key]}' for key, value in wanted.items())
    if not path.exists():
        return f'missing  {path}' + (f': {should}' if should else '')
    facts = facts_of_folder(path) if path.is_dir() else _facts(path, wanted)
    other = [f'{in_words(facts.get(key, 0))} {FACTS[key]}' for key, value in wanted.items() if facts.get(key) != value]
    if other:
        return f'differs  {path}: {should} are expected, it has {", ".join(other)}'
    return f'there    {path}' + (f': {should}' if should else '')


def _facts(path: Path, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for of a file."""
    facts: dict[str, Any] = dict(bytes=path.stat().st_size)
    if path.suffix != '.json' or not wanted.keys() - {'bytes'}:
        return facts
    if (store := open_store(path)) is not None:
        arrays = store.arrays
        people = arrays.categories == PERSON
        labelled = people & (arrays.joints[..., 2] > 0).any(axis=1)
        counts = dict(
            listed_images=len(arrays.image_ids), people=int(people.sum()), labelled_people=int(labelled.sum())
        )
        return {**facts, **counts}
    try:
        content = read_json(path, 'annotations or detections')
    except DataError:
        return facts
    if not isinstance(content, list):
        return facts
    boxes = sum(isinstance(each, dict) and each.get('category_id') == PERSON for each in content)
    return {**facts, 'people': len(content), 'person_boxes': boxes}
