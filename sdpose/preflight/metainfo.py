"""The metainfo of a key point data set (joints, mirror images, sigmas, limbs), read and checked.

MMPose's parser takes what it is given: a list of sigmas that is too short or an unknown name fails later, far away.
"""

import difflib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmpose
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from sdpose.config.nodes import resolve_type
from sdpose.errors import ConfigError, one_line

_KEYS = ('dataset_name', 'keypoint_info', 'skeleton_info', 'joint_weights', 'sigmas')
_HALVES = ('upper', 'lower')  # any other word is neither
# Names of MMPose's own files, which MMPose finds wherever it is installed.
_STOCK = 'configs/_base_/datasets/'


def load_metainfo(dataset: dict[str, Any]) -> dict[str, Any]:
    """The parsed metainfo of a data set's config: its ``metainfo``, or that of its class.

    MMPose's own files are taken as they are: some hold small contradictions that it lives with.

    Returns:
        What :func:`mmpose.datasets.datasets.utils.parse_pose_metainfo` makes of it: ``num_keypoints``,
        ``flip_indices``, ``sigmas`` and others.

    Raises:
        ConfigError: If a file is missing, the content contradicts itself (see :func:`check_metainfo`), or the data set
            has none or is none that reads one.
    """
    kind: Any = resolve_type(dataset, DATASETS)
    given = dataset.get('metainfo') or getattr(kind, 'METAINFO', None)
    if (chosen := _chosen_metainfo(kind, dataset)) is not None:
        return chosen
    if not given:
        raise ConfigError(f'the data set {dataset["type"]} has no key points: name one that has, or its metainfo')
    if kind is None or not issubclass(kind, BaseDataset):
        raise ConfigError(
            f'{dataset["type"]} has a metainfo, but is no registered data set that reads one: correct its type'
        )
    if 'from_file' not in given:
        check_metainfo(given, f'metainfo {str(given.get("dataset_name"))!r}')
    elif not _is_stock(given['from_file']):
        check_metainfo(_read(given['from_file']), given['from_file'])
    if kind._load_metainfo.__func__ is BaseDataset._load_metainfo.__func__:  # of a wrapper, which parses it later
        return parse_pose_metainfo(given)
    return kind._load_metainfo(given)


def _chosen_metainfo(kind: Any, dataset: dict[str, Any]) -> dict[str, Any] | None:
    """The metainfo of a class that chooses it by its arguments, as DeepFashion's chooses that of its subset.

    Returns:
        None for a class that does not; one that cannot be built and has a metainfo is left to whoever reads its data.

    Raises:
        ConfigError: If the class cannot be built and has no other metainfo.
    """
    if dataset.get('metainfo') or not _has_own_constructor(kind):
        return None
    given = {key: value for key, value in dataset.items() if key not in ('type', '_scope_')}
    try:
        metainfo = kind(**{**given, 'pipeline': [], 'lazy_init': True}).metainfo
    except Exception as error:  # whatever a class makes of its arguments
        if kind.METAINFO:
            return None
        raise ConfigError(f'the data set {kind.__name__} cannot be built: {one_line(error)}') from error
    return metainfo if 'num_keypoints' in metainfo else None


def _has_own_constructor(kind: Any) -> bool:
    return (
        kind is not None
        and issubclass(kind, BaseCocoStyleDataset)
        and kind.__init__ is not BaseCocoStyleDataset.__init__
    )


def check_metainfo(content: dict[str, Any], name: str) -> None:
    """Check that a metainfo in MMPose's format is complete and agrees with itself.

    Args:
        content: What the file calls ``dataset_info``.
        name: The file, or what else the messages call it.

    Raises:
        ConfigError: If a key is missing, joints are not numbered 0, 1, 2 ..., two share a name, a mirror image or the
            end of a limb is no joint, or there is not one sigma and one weight per joint. Sigmas may be empty for a
            data set that is not measured by OKS.
    """
    lacking = [key for key in _KEYS if key not in content]
    if lacking:
        raise ConfigError(f'{name} has no {", ".join(lacking)}; see configs/_base_/datasets/custom_metainfo.py')
    joints = content['keypoint_info']
    if list(joints) != list(range(len(joints))) or not joints:
        raise ConfigError(
            f'{name}: the keys of keypoint_info must be 0, 1, 2 ... in this order, they are '
            f'{", ".join(map(repr, joints)) or "none"}'
        )
    _check_joints(list(joints.values()), name)
    names = [joint['name'] for joint in joints.values()]
    for number, limb in content['skeleton_info'].items():
        if len(limb['link']) != 2:
            raise ConfigError(f'{name}: skeleton_info {number} must link two joints, it has {limb["link"]}')
        for end in limb['link']:
            _require_known(end, names, f'{name}: skeleton_info {number}: link')
    if content['sigmas']:
        _check_numbers(content['sigmas'], len(joints), f'{name}: sigmas', least='positive')
    _check_numbers(content['joint_weights'], len(joints), f'{name}: joint_weights', least='not negative')


def _is_stock(path: str) -> bool:
    """Whether MMPose will take its own file of this name, because there is none in the current folder."""
    return (
        path.startswith(_STOCK)
        and not Path(path).is_file()
        and (Path(mmpose.__file__).parent / '.mim' / path).is_file()
    )


def _read(path: str) -> dict[str, Any]:
    """The ``dataset_info`` of a file."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(
            f'the metainfo file {path} is missing (looked for in {os.getcwd()}): correct '
            'metainfo.from_file of the dataset in the config, or make the file a base of the config and '
            'pass its dataset_info, as configs/_base_/datasets/custom_256x192.py does'
        )
    try:
        content = Config.fromfile(file)
    except Exception as error:  # the file is Python and may fail in any way
        raise ConfigError(f'the metainfo file {path} cannot be read: {type(error).__name__}: {error}') from error
    if 'dataset_info' not in content:
        raise ConfigError(f'the metainfo file {path} defines no dataset_info')
    return content.dataset_info


def _check_joints(joints: Sequence[dict[str, Any]], name: str) -> None:
    """Check names, halves of the body and mirror images."""
    nameless = [number for number, joint in enumerate(joints) if not joint.get('name')]
    if nameless:
        raise ConfigError(f'{name}: joint {nameless[0]} of keypoint_info has no name')
    for joint in joints:
        if 'swap' in joint and not isinstance(joint['swap'], str):
            raise ConfigError(
                f"{name}: joint {joint['name']!r}: swap is {joint['swap']!r}: it must be a joint's name; leave it out, "
                "or write '', for a joint without a mirror image"
            )
    swaps = {joint['name']: joint.get('swap') or joint['name'] for joint in joints}
    names = [joint['name'] for joint in joints]
    if len(swaps) < len(names):
        twice = next(joint for joint in names if names.count(joint) > 1)
        raise ConfigError(f'{name}: two joints of keypoint_info are called {twice!r}')
    for joint in joints:
        where = f'{name}: joint {joint["name"]!r}'
        swap = swaps[joint['name']]
        _require_known(swap, names, f'{where}: swap')
        if swaps[swap] != joint['name']:
            raise ConfigError(
                f'{where}: swap is {swap!r}, but the swap of {swap!r} is {swaps[swap]!r}: a pair names each other'
            )
        half = joint.get('type') or ''
        if half not in _HALVES and _is_meant_for_a_half(half):
            raise ConfigError(
                f'{where}: type must be upper or lower (the half of the body), or another word for a joint that is in '
                f'neither, is {half!r}'
            )


def _is_meant_for_a_half(word: Any) -> bool:
    """Whether a word was meant for one of the halves: no text, or one that differs by a letter, or in upper case."""
    return not isinstance(word, str) or bool(difflib.get_close_matches(word.strip().lower(), _HALVES, n=1, cutoff=0.75))


def _require_known(joint: str, names: Sequence[str], where: str) -> None:
    if joint not in names:
        close = difflib.get_close_matches(str(joint), names, n=1)
        raise ConfigError(
            f'{where} {joint!r} is no joint of keypoint_info'
            + (f'; did you mean {close[0]!r}?' if close else f' ({", ".join(names)})')
        )


def _check_numbers(numbers: Sequence[float], count: int, where: str, least: str) -> None:
    if len(numbers) != count:
        raise ConfigError(f'{where} has {len(numbers)} numbers for {count} joints: give one per joint, in their order')
    for place, number in enumerate(numbers):
        fits = isinstance(number, (int, float)) and math.isfinite(number)
        if not fits or number < 0 or (least == 'positive' and number == 0):
            raise ConfigError(f'{where}: number {place} (counted from 0) must be finite and {least}, is {number!r}')
