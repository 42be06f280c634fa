"""Pictures to judge a file by: the crops of a config's test data where they are there, else people that are drawn."""

import contextlib
import copy
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from sdpose.config.building import building
from sdpose.config.evaluators import is_coco
from sdpose.config.nodes import as_list, input_size, iter_datasets, use_ground_truth_boxes
from sdpose.errors import UserError
from sdpose.preflight.datasets import check_datasets
from sdpose.synthetic.generate import generate
from sdpose.synthetic.request import Request
from sdpose.synthetic.shapes.generate import ShapesRequest, generate_shapes

# Style, test annotations, folder of pictures, by what the metric of a config reads.
_STYLES = {
    'CocoDataset': ('coco', 'annotations/val.json', 'val/'),
    'CrowdPoseDataset': ('crowdpose', 'annotations/mmpose_crowdpose_test.json', 'images/'),
    'ArrayCocoDataset': ('coco', 'annotations/val.json', 'val/'),
    'ArrayCrowdPoseDataset': ('crowdpose', 'annotations/mmpose_crowdpose_test.json', 'images/'),
    'MpiiDataset': ('mpii', 'annotations/mpii_val.json', 'images/'),
}
_DRAWN = 40  # pictures, of one to a few people each
_SHAPES, _SHAPE_SIZE = 4, (256, 256)  # per class, and larger than any crop
_SEED = 7_000_003  # of no set that anybody trains on
_CALIBRATION_SEED = 7_000_004  # other people than those that a file is judged by


class Pictures(NamedTuple):
    """A data set, ready to be read.

    Attributes:
        source: What it is, for the report.
        dataset: The data set, built; None if there is none that the model's joints fit.
        evaluators: The config's metrics for it.
    """

    source: str
    dataset: Any
    evaluators: list[dict[str, Any]]

    def batches(self, preprocess: Any, size: int, count: int | None = None) -> Iterator[dict[str, Any]]:
        """Preprocessed batches, with ``inputs`` (B, 3, h, w) and ``data_samples``.

        Args:
            preprocess: The model's preprocessor.
            size: B, but for the last batch.
            count: How many samples, spread over the set; None for all.
        """
        total = len(self.dataset)
        chosen = range(total) if count is None else np.linspace(0, total - 1, min(count, total)).astype(int)
        samples = [int(number) for number in chosen]
        for start in range(0, len(samples), size):
            batch = pseudo_collate([self.dataset[number] for number in samples[start : start + size]])
            yield preprocess(batch, False)

    def crops(self, preprocess: Any, count: int) -> np.ndarray:
        """Normalized images (N, 3, h, w), spread over the set."""
        return np.concatenate([each['inputs'].numpy() for each in self.batches(preprocess, 16, count)])


@contextmanager
def judging_pictures(cfg: Config) -> Iterator[Pictures]:
    """The config's test data, with annotated boxes if the file of detections is missing; else drawn people.

    Args:
        cfg: The config; it is left as it is.
    """
    init_default_scope('mmpose')
    found = _own(cfg)
    if found is not None:
        yield found
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _drawn(cfg, Path(folder) / 'people', _SEED)


def _own(cfg: Config) -> Pictures | None:
    """The config's test data, with annotated boxes if detections are missing; None where they are not there."""
    for source, annotated in (("the config's test data", False), ("the config's test data, annotated boxes", True)):
        own = copy.deepcopy(cfg)
        try:
            if annotated:
                use_ground_truth_boxes(own.test_dataloader.dataset)
            dataset = _test_set(own)
            return Pictures(source, dataset, _reading(dataset, as_list(own.test_evaluator)))
        except (UserError, AttributeError, OSError):  # a file is missing, or the config has no test data
            continue
    return None


def _reading(dataset: Any, evaluators: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Metrics that read a data set's own annotations; by themselves they take those of the set that was built last."""
    file = getattr(dataset, 'ann_file', None)
    lacking = [bool(file) and is_coco(each) and not each.get('ann_file') for each in evaluators]
    return [dict(each, ann_file=file) if lacks else each for each, lacks in zip(evaluators, lacking)]


def calibration(cfg: Config, preprocess: Any, count: int) -> tuple[np.ndarray, str]:
    """Normalized images (N, 3, h, w) of the training data, cropped as for a test, or of drawn people; what they are."""
    init_default_scope('mmpose')
    own = copy.deepcopy(cfg)
    try:
        dataset = next(
            each
            for each in iter_datasets(own.train_dataloader.dataset)
            if each.get('pipeline') and each.get('ann_file')
        )
        own.test_dataloader.dataset = dict(dataset, pipeline=own.test_dataloader.dataset.pipeline, test_mode=True)
        own.test_evaluator = []  # which knows the test data alone, and would refuse these
        pictures = Pictures('training crops', _test_set(own), [])
        return pictures.crops(preprocess, count), pictures.source
    except (UserError, AttributeError, OSError, StopIteration):
        pass
    with tempfile.TemporaryDirectory() as folder:
        pictures = _drawn(cfg, Path(folder) / 'people', _CALIBRATION_SEED)
        return pictures.crops(preprocess, count), f'other {pictures.source}'


def _test_set(cfg: Config) -> Any:
    """The built test set of a config whose files are there.

    Raises:
        UserError: If a file is missing.
    """
    check_datasets(cfg, ('test',))
    return _built(cfg.test_dataloader.dataset)


def _built(dataset: dict[str, Any]) -> Any:
    """A data set of its config, without what COCO's reader prints."""
    with building(), contextlib.redirect_stdout(io.StringIO()):
        return DATASETS.build(dataset)


def _drawn(cfg: Config, folder: Path, seed: int) -> Pictures:
    """Drawn people in the style of the config's data, with its metric; shapes for a classifier."""
    dataset = copy.deepcopy((cfg.get('test_dataloader') or {}).get('dataset') or {})
    evaluators = copy.deepcopy(as_list(cfg.get('test_evaluator')))
    kind = str(dataset.get('type'))
    if kind == 'ClassFolderDataset':
        return _drawn_shapes(dataset, folder, seed)
    fits = kind in _STYLES
    style, annotations, pictures = _STYLES[kind if fits else 'CocoDataset']
    generate(folder, Request(0, _DRAWN, seed, 'starter', (320, 240), style), workers=1)
    if not fits:  # joints of a user's own: the people are pictures, their labels are of no use
        dataset, evaluators = _coco_crops(cfg), []
    dataset.update(data_root=f'{folder}/', ann_file=annotations, data_prefix=dict(img=pictures))
    if 'bbox_file' in dataset:
        dataset['bbox_file'] = None
        (dataset.get('filter_cfg') or {}).pop('bbox_score_thr', None)
    if 'headbox_file' in dataset:
        dataset['headbox_file'] = str(folder / 'annotations/mpii_gt_val.mat')
    for evaluator in evaluators:
        if evaluator.get('ann_file'):
            evaluator['ann_file'] = str(folder / annotations)
    built = _built(dataset)
    return Pictures('drawn people', built, _reading(built, evaluators))


def _coco_crops(cfg: Config) -> dict[str, Any]:
    """The config of a COCO set whose people are cropped to a model's input."""
    pipeline = [
        dict(type='LoadCheckedImage'),
        dict(type='GetBBoxCenterScale'),
        dict(type='TopdownAffine', input_size=input_size(cfg)),
        dict(type='PackPoseInputs'),
    ]
    return dict(type='CocoDataset', data_mode='topdown', test_mode=True, pipeline=pipeline)


def _drawn_shapes(dataset: dict[str, Any], folder: Path, seed: int) -> Pictures:
    """Drawn shapes, cropped as the classifier's pictures are; its classes are others, so nothing is scored."""
    generate_shapes(folder, ShapesRequest(1, _SHAPES, seed, _SHAPE_SIZE))
    dataset.update(data_root=f'{folder}/', data_prefix=dict(img='val/'))
    return Pictures('drawn shapes', _built(dataset), [])
