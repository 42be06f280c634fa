"""What a report is made of: annotations, results and the names of joints, read and checked against each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.config.joint_names import joint_names
from sdpose.config.load import load_config
from sdpose.config.metafiles import iter_results
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
        use_area: Whether areas of the file count, else 0.53 of the boxes'.
    """

    file: str
    truth: Truth
    files: list[str]
    sizes: np.ndarray
    metainfo: dict[str, Any]
    crowd: bool
    use_area: bool

    @property
    def joints(self) -> list[str]:
        """Names of the joints."""
        return joint_names(self.metainfo)

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


def read_annotated(
    file: str | Path, metainfo: dict[str, Any] | None = None, crowd: bool | None = None, use_area: bool | None = None
) -> Annotated:
    """Read the annotated people.

    Args:
        file: A COCO annotation file of one kind of people.
        metainfo: The joints; None for COCO's, COCO-WholeBody's or CrowdPose's, by their number.
        crowd: Whether CrowdPose's evaluation counts; None where every image has a ``crowdIndex``.
        use_area: Whether areas of the file count; None for what the evaluation's own data have.

    Raises:
        DataError: If the file is missing, damaged, has nobody to evaluate with, or other joints.
    """
    content = read_annotations(file, cure='name another file')
    check_entries(file, 'annotation', content['annotations'], ANNOTATION_KEYS)
    joints = count_joints(content)
    metainfo = metainfo or _stock_metainfo(file, content.get('categories'), joints)
    _require_joints(file, joints, metainfo)
    people = [each for each in content['annotations'] if 'keypoints' in each]
    if crowd is None:
        crowd = bool(content['images']) and all('crowdIndex' in image for image in content['images'])
    use_area = not crowd if use_area is None else use_area
    check_entries(file, 'annotation', people, ('bbox', 'area') if use_area else ('bbox',))
    check_annotations(file, people, joints)
    check_joint_names(file, content.get('categories'), list(metainfo['keypoint_name2id']))
    if crowd:
        check_crowd(file, content['images'], people)
    truth = load_truth(file)
    _require_one_category(truth, crowd)
    images = {image['id']: image for image in content['images']}
    own = [images[image] for image in truth.images.tolist()]
    sizes = np.array([(image['width'], image['height']) for image in own], float)
    return Annotated(str(file), truth, [image['file_name'] for image in own], sizes, metainfo, crowd, use_area)


def metainfo_of(config: str) -> dict[str, Any]:
    """The joints of a config's test data.

    Raises:
        ConfigError: If it has none.
    """
    dataset = (load_config(config).get('test_dataloader') or {}).get('dataset')
    parts = [each for each in iter_datasets(dataset) if not inner_datasets(each)]
    if not parts:
        raise ConfigError(f'{config} has no test_dataloader, whose joints the report would name')
    return load_metainfo(parts[0])


def _stock_metainfo(file: str | Path, categories: Any, joints: int) -> dict[str, Any]:
    """The joints of the known data set that has as many, if those that the file names stand where its do."""
    cure = 'name a config whose test data have them by --config'
    if joints not in _STOCK:
        raise DataError(f'{file} has people of {joints} joints: {cure}')
    metainfo = load_metainfo(dict(type=_STOCK[joints]))
    try:
        check_joint_names(file, categories, list(metainfo['keypoint_name2id']))
    except DataError as error:
        raise DataError(f'{file} has {joints} joints that are not those of {_STOCK[joints]}: {cure}') from error
    return metainfo


def _require_joints(file: str | Path, joints: int, metainfo: dict[str, Any]) -> None:
    """Refuse a metainfo without as many joints and sigmas.

    Raises:
        DataError: If so.
    """
    sigmas = metainfo.get('sigmas')
    numbers = metainfo['num_keypoints'], 0 if sigmas is None else len(sigmas)
    if numbers != (joints, joints):
        raise DataError(
            f'{file} has people of {joints} joints, but the metainfo of the data set has {numbers[0]} joints and '
            f'{numbers[1]} sigmas: name the config of these data'
        )


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
        raise DataError(f'{file} must be a JSON list of results with image_id, category_id, keypoints and score')
    joints, truth = annotated.metainfo['num_keypoints'], annotated.truth
    images, name = set(truth.images.tolist()), annotated.file
    for place, entry in enumerate(entries):
        fault, detail = entry_fault(entry, images, name, joints)
        if fault is not None:
            raise DataError(
                f'{file}: result {place} (counted from 0): {fault}: {detail}; correct it, or name the annotations that '
                'the results are of'
            )
        if 'bbox' in entry and not (all_finite(entry['bbox']) and len(entry['bbox']) == 4):
            raise DataError(f'{file}: result {place} (counted from 0): bbox is not 4 finite numbers')
    people = _as_arrays(entries, joints)
    candidates = choose_candidates(people, people.box_scores, truth)
    areas = truth.areas(annotated.use_area)
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
    """The published numbers of one of the package's configs by name, such as ``AP``; none where there are none."""
    found = [result for result in iter_results() if result.model == Path(config).stem and result.source == 'paper']
    return {result.metric: result.value for result in found if 'test-dev' not in result.metric}
