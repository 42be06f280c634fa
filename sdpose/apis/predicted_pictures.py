"""Predictions of a result file beside the annotations of a config's test data; what ``draw_predictions.py`` draws."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmpose.registry import DATASETS

from sdpose.config.nodes import inner_datasets, iter_datasets, use_ground_truth_boxes
from sdpose.config.options import prepare
from sdpose.errors import ConfigError, DataError, UserError
from sdpose.io.json_file import read_json
from sdpose.preflight.annotation_file import require_annotation_file
from sdpose.preflight.metainfo import load_metainfo
from sdpose.visualization import PicturePeople, Skeleton, draw_page
from sdpose.visualization.scaling import evenly_spaced

_MOST = 200  # pictures; more make a page that nothing opens


def draw_predictions(
    config: str,
    results: str | Path,
    out: str | Path,
    count: int = 12,
    least: float = 0.2,
    annotations: str | None = None,
    images: str | None = None,
    cfg_options: dict[str, Any] | None = None,
) -> Path:
    """Draw annotated and predicted people over evenly spaced pictures of a config's test data, as one PNG.

    Limbs, sides and colors are those of the data set's metainfo, the annotations what its class reads.

    Args:
        config: A config file, or the name of one of the package's configs.
        results: Key point results, as ``tools/test.py --out`` writes them: COCO's, or MPII's.
        out: PNG to write.
        count: Number of pictures.
        least: Joints and people with a smaller score are left out.
        annotations: Another annotation file than that of the config's test data.
        images: Another folder of pictures.
        cfg_options: Overrides of the config, such as ``data_root``.

    Returns:
        ``out``.

    Raises:
        UserError: If an option is out of its range, or files cannot be read or written, or do not fit each other.
    """
    if not 1 <= count <= _MOST:
        raise UserError(f'--count {count}: give 1 to {_MOST} pictures')
    if not math.isfinite(least):
        raise UserError(f'--least-score {least}: give a number')
    cfg = prepare(config, cfg_options=cfg_options)
    dataset = _test_data(cfg, annotations, images)
    metainfo = load_metainfo(dataset)
    found = _read_results(Path(results), metainfo['num_keypoints'], f'the test data of {config}')
    pictures = _read_pictures(cfg, dataset, metainfo['num_keypoints'])
    named = {Path(picture.path).name: picture for picture in pictures.values()}
    for key, joints, score in found:
        picture = named.get(key) if isinstance(key, str) else None
        picture = picture or pictures.get(key)
        if picture is not None and score >= least:
            picture.predicted.append(joints)
            picture.scores.append(score)
    shown = [picture for picture in pictures.values() if picture.predicted]
    if not shown:
        raise DataError(
            f'{results} has no person with a score of {least} or more on a picture of {dataset["ann_file"]}'
        )
    chosen = [shown[place] for place in evenly_spaced(len(shown), count)]
    draw_page(chosen, Skeleton.from_metainfo(metainfo), least, Path(out))
    return Path(out)


def _test_data(cfg: Config, annotations: str | None, images: str | None) -> dict[str, Any]:
    """The config of the test data's data set, with annotated boxes and with the files that were named.

    Raises:
        ConfigError: If there is none, or it is a mixture of several.
    """
    dataset = (cfg.get('test_dataloader') or {}).get('dataset')
    parts = [each for each in iter_datasets(dataset) if not inner_datasets(each)]
    if len(parts) != 1:
        raise ConfigError(f'{cfg.filename} must have one data set in test_dataloader, it has {len(parts)}')
    part = {**parts[0], 'filter_cfg': dict(parts[0].get('filter_cfg') or {})}
    use_ground_truth_boxes(part)
    part.pop('headbox_file', None)  # of MPII's measure
    root = part.pop('data_root', None) or ''
    part['ann_file'] = annotations or str(Path(root, part.get('ann_file') or ''))
    prefix = dict(part.get('data_prefix') or {})
    part['data_prefix'] = {**prefix, 'img': images or str(Path(root, prefix.get('img') or ''))}
    return part


def _read_pictures(cfg: Config, dataset: dict[str, Any], joints: int) -> dict[Any, PicturePeople]:
    """The pictures of a data set by their ids, with the annotated people that have the data set's joints.

    Raises:
        DataError: If the annotation file is missing, or the data set's class cannot read it.
    """
    ann_file = dataset['ann_file']
    try:
        require_annotation_file(ann_file, 'name another one by --annotations')
    except DataError as error:
        raise DataError(f'{error}. {cfg.data_hint}' if 'data_hint' in cfg else str(error)) from error
    try:
        # What the class reads, before the people are left out that training and testing leave out.
        built: Any = DATASETS.build({**dataset, 'pipeline': [], 'test_mode': True, 'lazy_init': True})
        people, images = built._load_annotations()
    except UserError:
        raise
    except Exception as error:  # whatever a file of another form leads to in any class
        reason = f'{type(error).__name__}: {error}'.partition('\n')[0]
        raise DataError(f'{ann_file} cannot be read by {dataset["type"]}: {reason}') from error
    # A file without annotations is one of a test split.
    pictures = {image['img_id']: PicturePeople(image['img_path'], [] if people else None) for image in images}
    for entry in people:
        picture = pictures.setdefault(entry['img_id'], PicturePeople(entry['img_path'], []))
        for person in _people_of(entry):
            if len(person) == joints and person[:, 2].any() and picture.annotated is not None:
                picture.annotated.append(person)
    return pictures


def _people_of(entry: dict[str, Any]) -> Iterator[np.ndarray]:
    """The people of a data set's entry as (K, 3): x, y, v; none of a split whose joints are not public."""
    if entry.get('keypoints') is None:
        return
    visible = np.asarray(entry.get('keypoints_visible', np.ones(np.shape(entry['keypoints'])[:2])))
    if visible.ndim == 3:
        visible = visible[..., 0]
    flags = np.where(visible > 0, 2, 0)  # of the classes, some keep the annotated flag and some 0 and 1
    yield from np.dstack([np.asarray(entry['keypoints'])[..., :2], flags])


def _read_results(file: Path, joints: int, of: str) -> list[tuple[Any, np.ndarray, float]]:
    """The people of a result file: id or name of the picture, (K, 3) x, y, score, and the score of the person.

    Raises:
        DataError: If the file is missing or no list of results, or a person has other joints than the data.
    """
    content = read_json(file, 'a file of key point results')
    if not isinstance(content, list):
        raise DataError(f'{file} must be a JSON list of results, as tools/test.py --out writes them')
    people = []
    for place, entry in enumerate(content):
        where = f'{file}: result {place} (counted from 0)'
        try:
            key, person, score = _read_person(entry)
            hash(key)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f'{where} cannot be read: {type(error).__name__}: {error}') from error
        if len(person) != joints:
            raise DataError(
                f'{where} has {len(person)} joints, but {of} have {joints}: name the config that the results were made '
                'with'
            )
        people.append((key, person, score))
    return people


def _read_person(entry: dict[str, Any]) -> tuple[Any, np.ndarray, float]:
    """One result of COCO's form, or of MPII's, whose pixels are counted from 1."""
    places: Sequence = entry['keypoints']
    if 'image_id' in entry:
        return entry['image_id'], np.asarray(places, float).reshape(-1, 3), float(entry['score'])
    scores = np.asarray(entry['scores'], float)
    joints = np.hstack([np.asarray(places, float).reshape(-1, 2) - 1, scores[:, None]])
    return entry['image'], joints, float(scores.mean())
