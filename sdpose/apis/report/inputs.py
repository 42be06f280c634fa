"""What a report is made of: annotations, results and the names of joints, read and checked against each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sdpose.config.find import config_dir
from sdpose.config.load import load_config
from sdpose.config.nodes import inner_datasets, iter_datasets
from sdpose.errors import ConfigError, DataError
from sdpose.evaluation.analysis.evaluation import Evaluation
from sdpose.evaluation.coco.matching import choose_candidates
from sdpose.evaluation.coco.predictions import Predictions, spans
from sdpose.evaluation.coco.truth import Truth, load_truth
from sdpose.evaluation.submission import read_results
from sdpose.preflight.annotation_file import read_annotations
from sdpose.preflight.coco_fields import (
    ANNOTATION_KEYS,
    all_finite,
    check_annotations,
    check_crowd,
    check_entries,
    check_joint_names,
)
from sdpose.preflight.metainfo import load_metainfo
from sdpose.preflight.results import PERSON, count_joints, entry_fault

_STOCK = {17: 'CocoDataset', 14: 'CrowdPoseDataset', 133: 'CocoWholeBodyDataset'}


@dataclass(frozen=True)
class Annotated:
    """The annotated people of a file, and how they are evaluated.

    Attributes:
        file: The annotation file.
        truth: Its people.
        files: (I,), names of the images' files, in the truth's order.
        sizes: (I, 2), their width and height in pixels.
        metainfo: Names, sigmas, mirror images and limbs of the joints, as MMPose has them.
        crowd: Whether CrowdPose's evaluation counts, not COCO's.
    """

    file: str
    truth: Truth
    files: list[str]
    sizes: np.ndarray
    metainfo: dict[str, Any]
    crowd: bool

    @property
    def joints(self) -> list[str]:
        """Names of the joints."""
        return [self.metainfo['keypoint_id2name'][joint] for joint in range(self.metainfo['num_keypoints'])]

    @property
    def mirrored(self) -> np.ndarray:
        """The index (K,) of each joint's mirror image."""
        return np.asarray(self.metainfo['flip_indices'])


@dataclass(frozen=True)
class Results:
    """Predicted people of a result file, evaluated on the annotated ones.

    Attributes:
        file: The result file.
        people: All of them.
        evaluation: Those that count, and the annotated ones.
    """

    file: str
    people: Predictions
    evaluation: Evaluation


def read_annotated(file: str | Path, config: str | None = None) -> Annotated:
    """Read the annotated people.

    Args:
        file: A COCO annotation file of one kind of people. Where every image has a ``crowdIndex``, CrowdPose's
            evaluation counts.
        config: A config whose test data have these joints; None for COCO's, COCO-WholeBody's or CrowdPose's, by their
            number.

    Raises:
        DataError: If the file is missing, damaged, or has nobody to evaluate with.
        ConfigError: If the config is wrong, or its joints are others.
    """
    content = read_annotations(file, cure='name another file')
    check_entries(file, 'annotation', content['annotations'], ANNOTATION_KEYS)
    joints = count_joints(content)
    metainfo = _metainfo(file, content, joints, config)
    people = [each for each in content['annotations'] if 'keypoints' in each]
    crowd = bool(content['images']) and all('crowdIndex' in image for image in content['images'])
    check_entries(file, 'annotation', people, ('bbox',) if crowd else ('bbox', 'area'))
    check_annotations(file, people, joints)
    check_joint_names(file, content.get('categories'), list(metainfo['keypoint_name2id']))
    truth = load_truth(file)
    if crowd:
        check_crowd(file, content['images'], people)
    _require_one_category(truth, crowd)
    images = {image['id']: image for image in content['images']}
    own = [images[image] for image in truth.images.tolist()]
    sizes = np.array([(image['width'], image['height']) for image in own], float)
    return Annotated(str(file), truth, [image['file_name'] for image in own], sizes, metainfo, crowd)


def _metainfo(file: str | Path, content: dict[str, Any], joints: int, config: str | None) -> dict[str, Any]:
    """The joints of a config's test data, or of the known data set that has as many."""
    if config is not None:
        dataset = (load_config(config).get('test_dataloader') or {}).get('dataset')
        parts = [each for each in iter_datasets(dataset) if not inner_datasets(each)]
        if not parts:
            raise ConfigError(f'{config} has no test_dataloader, whose joints the report would name')
        metainfo = load_metainfo(parts[0])
    elif joints in _STOCK:
        metainfo = load_metainfo(dict(type=_STOCK[joints]))
        known = {_plain(name) for name in metainfo['keypoint_name2id']}
        named = next((each['keypoints'] for each in content.get('categories') or () if each.get('keypoints')), [])
        if any(_plain(name) not in known for name in named):
            raise DataError(f'{file} has other joints than {_STOCK[joints]}: name a config of its data by --config')
    else:
        raise DataError(f'{file} has people of {joints} joints: name a config whose test data have them by --config')
    sigmas = metainfo['sigmas']
    if metainfo['num_keypoints'] != joints or sigmas is None or len(sigmas) != joints:
        raise DataError(
            f'{file} has people of {joints} joints, but {config} has {metainfo["num_keypoints"]} joints and '
            f'{0 if sigmas is None else len(sigmas)} sigmas: name the config of these data by --config'
        )
    return metainfo


def _plain(name: str) -> str:
    return ''.join(filter(str.isalnum, str(name).lower()))


def _require_one_category(truth: Truth, crowd: bool) -> None:
    """Refuse data in which nobody counts, or people of several categories do.

    Raises:
        DataError: If so.
    """
    counted = np.unique(truth.group[~truth.ignored(crowd)] // max(len(truth.images), 1))
    if not len(counted):
        raise DataError(
            f'{truth.file} has nobody to evaluate with: no annotation of a listed category that is no crowd has a '
            'labelled joint'
        )
    if len(counted) > 1 or truth.categories[counted[0]] != PERSON:
        found = ', '.join(map(str, truth.categories[counted].tolist()))
        raise DataError(
            f'{truth.file} has people with key points in the categories {found}: a report is about one, with the id '
            f'{PERSON}'
        )


def read_run(file: str | Path, annotated: Annotated) -> Results:
    """Read the results of a model, of any framework that writes COCO's format.

    Args:
        file: The results, as JSON or as the archive that COCO's server takes.
        annotated: The people to evaluate them on.

    Raises:
        DataError: If the file is missing or damaged, or an entry is of another image, category or number of joints,
            or has a number that is none; naming the first.
    """
    entries = read_results(file)
    if not isinstance(entries, list) or not entries:
        raise DataError(f'{file} must be a JSON list of at least one result, with image_id, category_id, keypoints, score')
    joints, truth = annotated.metainfo['num_keypoints'], annotated.truth
    images, name = set(truth.images.tolist()), annotated.file
    for place, entry in enumerate(entries):
        fault, detail = entry_fault(entry, images, name, joints)
        if fault is not None:
            raise DataError(f'{file}: result {place} (counted from 0): {fault}: {detail}')
        if 'bbox' in entry and not (all_finite(entry['bbox']) and len(entry['bbox']) == 4):
            raise DataError(f'{file}: result {place} (counted from 0): bbox is not 4 finite numbers')
    people = _as_arrays(entries, joints)
    candidates = choose_candidates(people, people.box_scores, truth)
    areas = truth.areas(use_area=not annotated.crowd)
    sigmas = np.asarray(annotated.metainfo['sigmas'], float)
    return Results(str(file), people, Evaluation(candidates, truth, areas, truth.ignored(annotated.crowd), sigmas))


def _as_arrays(entries: list[dict[str, Any]], joints: int) -> Predictions:
    """The entries of a result file; boxes where all have them."""
    number = np.arange(len(entries))
    flat = np.array([entry['keypoints'] for entry in entries], float).reshape(-1, joints, 3)
    boxed = all('bbox' in entry for entry in entries)
    places = np.ascontiguousarray(flat[..., :2])
    return Predictions(
        sample=number,
        image=np.array([entry['image_id'] for entry in entries]),
        person=number,
        category=np.array([entry['category_id'] for entry in entries]),
        joints=places,
        joint_scores=flat[..., 2],
        boxes=np.array([entry['bbox'] for entry in entries], float) if boxed else None,
        box_scores=np.array([entry['score'] for entry in entries], float),
        areas=spans(places),
    )


def paper_metrics(config: str) -> dict[str, float]:
    """The published numbers of one of the package's configs by their name, such as ``AP``; none where there are none."""
    name = Path(config).stem
    for file in sorted(config_dir().glob('*/metafile.yml')):
        for model in yaml.safe_load(file.read_text(encoding='utf-8'))['Models']:
            if model['Name'] == name:
                metrics = [result['Metrics'] for result in model.get('Results', ())]
                return {
                    key.removesuffix(' (paper)'): value
                    for each in metrics
                    for key, value in each.items()
                    if key.endswith(' (paper)') and 'test-dev' not in key
                }
    return {}
