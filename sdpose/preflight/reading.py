"""What a data set's own class makes of its files."""

import contextlib
import inspect
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpose.registry import DATASETS

from sdpose.config.nodes import resolve_type
from sdpose.datasets.array_coco_dataset import ArraySamples
from sdpose.errors import ConfigError, DataError, UserError, one_line

_NO_ARGUMENTS = ('type', '_scope_', 'pipeline', 'lazy_init', 'serialize_data')


def build_unread(dataset: dict[str, Any], where: str) -> Any:
    """The data set of a config, with nothing read yet.

    Args:
        dataset: The config.
        where: Its place, for messages.

    Raises:
        ConfigError: If its class refuses its arguments.
    """
    kind: Any = resolve_type(dataset, DATASETS)
    arguments = {key: value for key, value in dataset.items() if key not in _NO_ARGUMENTS}
    arguments.update({key: value for key, value in (('pipeline', []), ('lazy_init', True)) if _takes(kind, key)})
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
            return kind(**arguments)
    except UserError:
        raise
    except Exception as error:  # of any class, of its arguments or of files beside the annotations
        raise ConfigError(f'{where}: {kind.__name__} cannot be built: {_said(error)}') from error


def read_as_class(
    built: Any, dataset: dict[str, Any], file: str, num_keypoints: int, where: str
) -> Sequence[dict[str, Any]]:
    """Let a data set read its annotations, or its detections, as a run will, and look at the outcome.

    Args:
        built: The data set, of :func:`build_unread`.
        dataset: Its config.
        file: Its annotations or detections, for messages.
        num_keypoints: Joints by its metainfo, which each sample must have.
        where: Its place in the config, for messages.

    Returns:
        Its samples.

    Raises:
        DataError: If the class cannot read the file, reads nothing, or reads values that are no numbers, or another
            number of joints, or a filter leaves nothing.
    """
    kind = type(built)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
            built.data_list = built.load_data_list()
            kept = built.filter_data()
    except UserError:
        raise
    except Exception as error:  # whatever a class makes of a file that it does not expect
        raise DataError(
            f'{file} cannot be read by {kind.__name__}, the class of {where}: {_said(error)}: correct the file, or '
            'choose '
            'the class of its form'
        ) from error
    samples = built.data_list
    if not isinstance(samples, ArraySamples):
        samples = [info for info in samples if isinstance(info, dict)]
    if not samples:
        raise DataError(
            f'no usable person in {file}: {kind.__name__} leaves out every entry (as a crowd, without a labelled '
            'joint, '
            'or with a box of zero area or outside its image): correct the file, or name another one'
        )
    for info in _odd_samples(samples, num_keypoints) if isinstance(samples, ArraySamples) else samples:
        _check_sample(info, file, kind.__name__, num_keypoints)
    if not len(kept):
        raise _none_kept(dataset, file, where, samples)
    return samples


def _odd_samples(samples: ArraySamples, num_keypoints: int) -> ArraySamples:
    """Those of a data set on arrays that may have another number of joints, or values that are no finite numbers."""
    joints = samples.joints()
    if joints.shape[1] != num_keypoints:
        return samples
    finite = np.isfinite(joints.sum(axis=(1, 2)))
    return samples.take(~(finite & np.isfinite(samples.boxes).all(axis=1)))


def _takes(kind: Any, argument: str) -> bool:
    """Whether a class of a user's own, too, has an argument or hands it on."""
    parameters = inspect.signature(kind.__init__).parameters.values()
    return any(each.name == argument or each.kind is each.VAR_KEYWORD for each in parameters)


def _said(error: Exception) -> str:
    """An exception of a class in words: a key that is missing is the usual one."""
    if isinstance(error, KeyError) and error.args:
        return f'an entry has no {error.args[0]!r}'
    return one_line(error)


def _check_sample(info: dict[str, Any], file: str, name: str, num_keypoints: int) -> None:
    """Check the numbers of one sample."""
    who = f'{file}: annotation id {info.get("id")} on image id {info.get("img_id")}'
    for key in ('bbox', 'keypoints', 'keypoints_visible'):
        value = info.get(key)
        if isinstance(value, np.ndarray) and not (value.dtype.kind in 'biuf' and np.isfinite(value).all()):
            raise DataError(f'{who}: {name} reads {key} that are no finite numbers: correct it, or remove it')
    keypoints = info.get('keypoints')
    if isinstance(keypoints, np.ndarray) and keypoints.ndim >= 2 and keypoints.shape[-2] != num_keypoints:
        raise DataError(
            f'{who}: {name} reads {keypoints.shape[-2]} joints, but the metainfo has {num_keypoints}: correct the '
            'file, or '
            'choose the config of its data set'
        )


def _none_kept(dataset: dict[str, Any], file: str, where: str, samples: Sequence[dict[str, Any]]) -> DataError:
    """The error for samples of which a filter leaves none."""
    filters = dict(dataset.get('filter_cfg') or {})
    scores = [float(np.max(info['bbox_score'])) for info in samples if 'bbox_score' in info]
    if 'bbox_score_thr' in filters and scores:
        return DataError(
            f'none of the {len(samples)} boxes of {file} reaches {where}.filter_cfg.bbox_score_thr='
            f'{filters["bbox_score_thr"]}: the highest score is {max(scores):g}; lower the threshold'
        )
    return DataError(f'{where}.filter_cfg={filters} leaves none of the {len(samples)} samples of {file}: change it')
