"""Making a crop cache: every person of a training's data sets, cut out of the pictures once."""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, TRANSFORMS

from sdpose.config.nodes import iter_leaves
from sdpose.errors import ConfigError, DataError
from sdpose.io.atomic import atomic_write
from sdpose.io.digest import sha256_of
from sdpose.io.folders import require_writable, signals_unwind
from sdpose.io.processes import in_processes

from .reach import Reach, Region
from .store import (
    INDEX,
    NOTE,
    STEPS,
    VERSION,
    CropCache,
    CropRow,
    Recipe,
    Shard,
    Storing,
    image_stamp,
    key_of,
    read_shard,
    same_data,
    shard_path,
    write_index,
    write_shard,
)

_PEOPLE = 128  # of a shard; raw crops of COCO take some 60 MB
_LOADING = ('LoadCachedCrop', 'LoadCheckedImage', 'LoadImage')
_READ = ('img_path', 'img_id', 'id', 'entry_size', 'img_shape')  # of a sample, by the loading step


class Person(NamedTuple):
    """What is planned for one crop.

    Attributes:
        key: Of :func:`key_of`.
        sample: What the loading step reads.
        region: Where it lies, not cut at the picture's rim yet.
        sixteenths: The size that it is stored in.
    """

    key: int
    sample: dict[str, Any]
    region: Region
    sixteenths: int


class Built(NamedTuple):
    """What was made: people, bytes of their shards, and how many shards were there already."""

    people: int
    bytes: int
    shards: int
    kept: int


def build_crop_cache(
    cfg: Config,
    out: Path,
    storing: Storing,
    command: str,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Cut out the people of a config's training data.

    Shards appear one by one, each complete, and the index last of all: after a kill or with a full disk, the same call
    goes on with the shards that are missing. Those that are there are compared with their hashes.

    Args:
        cfg: The config.
        out: The folder of the cache.
        storing: How.
        command: What calls this, for the messages of whoever finds the cache out of date.
        workers: Processes.
        overwrite: Whether a cache of other data or another way of storing may be replaced.
        progress: Called with the number of finished and of all people.

    Raises:
        ConfigError: If the pipeline cannot be served from crops.
        DataError: If ``out`` holds something else, or a picture cannot be read.
        OSError: If a file cannot be written.
    """
    require_writable(out, '--out')
    leaves = [_read_leaf(cfg, dataset, above.wrappers) for dataset, above in iter_leaves(cfg.train_dataloader.dataset)]
    recipe = _recipe(leaves, storing)
    about: dict[str, Any] = dict(
        recipe=recipe._asdict(),
        command=command,
        datasets=[dict(ann_file=leaf.ann_file, sha256=sha256_of(leaf.ann_file)) for leaf in leaves],
    )
    _make_way(out, about, overwrite)
    count = sum(len(leaf.samples) for leaf in leaves)
    print_log(f'looking up how far the crops of {count} people reach', 'current')
    people = [person for leaf in leaves for person in leaf.people(storing)]
    names = [os.path.relpath(info['img_path'], leaf.folder) for leaf in leaves for info in leaf.samples]
    _require_different(people)
    jobs = [(number, people[start : start + _PEOPLE]) for number, start in enumerate(range(0, len(people), _PEOPLE))]
    made: dict[int, Shard] = {}
    kept = done = 0
    with signals_unwind():
        for number, shard, was_there in in_processes(partial(_make_shard, out, recipe, leaves[0].load), jobs, workers):
            made[number] = shard
            kept, done = kept + was_there, done + len(shard.rows)
            progress(done, len(people))
        for surplus in set(out.glob('crops-*.safetensors')) - {shard_path(out, number) for number in made}:
            surplus.unlink()
        shards = [made[number] for number in range(len(jobs))]
        about['datasets'] = [
            dict(each, images=len(set(leaf.paths))) for each, leaf in zip(about['datasets'], leaves, strict=True)
        ]
        write_index(out, np.array([person.key for person in people], np.uint64), shards, names, about)
    size = sum(shard_path(out, number).stat().st_size for number in made)
    return Built(len(people), size, len(jobs), kept)


class _Leaf:
    """A data set that reads files itself: its samples, people of a picture together, and its steps."""

    def __init__(self, dataset: Any, steps: Sequence[dict[str, Any]]) -> None:
        self.ann_file = str(dataset.ann_file)
        self.folder = dataset.data_prefix.get('img') or '.'
        self.reach = Reach(steps)
        options = {} if steps[0]['type'] == 'LoadCachedCrop' else {k: v for k, v in steps[0].items() if k != 'type'}
        self.load = TRANSFORMS.build(dict(options, type='LoadCheckedImage'))
        samples = [dataset.get_data_info(index) for index in range(len(dataset))]
        first: dict[str, int] = {}
        self.samples = sorted(samples, key=lambda info: first.setdefault(info['img_path'], len(first)))
        self.paths = first

    def people(self, storing: Storing) -> Iterator[Person]:
        """What is planned for each."""
        for info in self.samples:
            read = {key: info[key] for key in _READ if key in info}
            region, width = self.reach.region(info, storing.margins)
            most = storing.max_resolution * self.reach.input_size[0] / width if storing.max_resolution else 1.0
            yield Person(key_of(read), read, region, min(STEPS, ceil(STEPS * most)))


def _read_leaf(cfg: Config, dataset: dict[str, Any], wrappers: Sequence[dict[str, Any]]) -> _Leaf:
    """Read a data set.

    Raises:
        ConfigError: If it does not have one person and one picture a sample.
    """
    init_default_scope('mmpose')
    steps = [dict(step) for each in (dataset, *wrappers) for step in each.get('pipeline') or []]
    if not steps or steps[0]['type'] not in _LOADING:
        raise ConfigError(
            f'{cfg.filename}: the training pipeline begins with {steps[0]["type"] if steps else "no step"}, not with '
            f'one of {", ".join(_LOADING)}: there is no picture to cut people out of'
        )
    with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
        built = DATASETS.build(dict(dataset, pipeline=[], test_mode=False))
    if getattr(built, 'data_mode', None) != 'topdown':
        raise ConfigError(f'{cfg.filename}: a crop cache holds one person a sample, so the data must be top-down ones')
    return _Leaf(built, steps)


def _recipe(leaves: Sequence[_Leaf], storing: Storing) -> Recipe:
    """What settles the crops beside the data, which must be one for all data sets."""
    recipes = [Recipe(*storing, reach=leaf.reach.describe(), load=repr(leaf.load)) for leaf in leaves]
    if any(recipe != recipes[0] for recipe in recipes[1:]):
        raise ConfigError('the data sets of the training have different steps: give each a crop cache of its own')
    return recipes[0]


def _make_way(out: Path, about: dict[str, Any], overwrite: bool) -> None:
    """Have no index in a folder whose shards are about to change, but a note of what they will be of.

    Raises:
        DataError: If it holds something else, or another cache that is not to be overwritten.
    """
    mine = ('crops-', INDEX, NOTE, '.')
    others = [path.name for path in out.iterdir() if not path.name.startswith(mine)]
    if others:
        raise DataError(f'{out} holds something else ({others[0]}): name another folder')
    if not overwrite and any(out.glob('crops-*.safetensors')):
        _require_same(out, _known(out), about)
    with atomic_write(out / NOTE, 'w') as file:
        json.dump(about, file, indent=1)
    (out / INDEX).unlink(missing_ok=True)


def _known(out: Path) -> dict[str, Any] | None:
    """What a folder of crops is of, finished or not; None if nothing says so any more."""
    with contextlib.suppress(DataError):
        return CropCache(out).about
    with contextlib.suppress(OSError, ValueError):
        return json.loads((out / NOTE).read_text('utf-8'))
    return None


def _require_same(out: Path, old: dict[str, Any] | None, about: dict[str, Any]) -> None:
    """Refuse to replace a cache that is stored in another way, or of other annotation files; theirs may change.

    Raises:
        DataError: If it is one.
    """
    cure = 'name another folder, or replace it by --overwrite'
    if old is None:
        raise DataError(f'{out} holds crops of which nothing says what they are of: {cure}')
    ways = [', '.join(f'{name}={each["recipe"][name]}' for name in Storing._fields) for each in (old, about)]
    if ways[0] != ways[1]:
        raise DataError(f'{out} holds a crop cache stored otherwise ({ways[0]}, not {ways[1]}): {cure}')
    pairs = zip_longest(old['datasets'], about['datasets'])
    if not all(one and other and same_data(one, other) for one, other in pairs):
        files = [', '.join(data['ann_file'] for data in each['datasets']) for each in (old, about)]
        raise DataError(f'{out} holds a crop cache of other data ({files[0]}, not {files[1]}): {cure}')


def _require_different(people: Sequence[Person]) -> None:
    seen: dict[int, Person] = {}
    for person in people:
        if (other := seen.setdefault(person.key, person)) is not person:
            raise DataError(
                f'two people have the annotation id {person.sample["id"]} on pictures of one name '
                f'({other.sample["img_path"]}, {person.sample["img_path"]}), by which a crop is found: rename one, or '
                'give each data set a crop cache of its own'
            )


def _make_shard(out: Path, recipe: Recipe, load: Any, job: tuple[int, list[Person]]) -> tuple[int, Shard, bool]:
    """Make a shard, unless it is there and sound.

    Returns:
        Its number, its entries, and whether it was there.
    """
    number, people = job
    settled = (VERSION, *recipe[:2], recipe.load)
    plans = [(person.key, person.region, person.sixteenths, person.sample['img_path']) for person in people]
    plan = hashlib.blake2b(repr((settled, plans)).encode(), digest_size=16).hexdigest()
    path = shard_path(out, number)
    there = read_shard(path)
    if there is not None and there.plan == plan and not _changed(people, there.images):
        if (whole := read_shard(path, whole=True)) is not None:
            return number, whole, True
    crops, rows, images = [], [], []
    last: tuple[str, Any, Any] = ('', None, None)
    for person in people:
        source = person.sample['img_path']
        if source != last[0]:
            stamp = image_stamp(source) if os.path.isfile(source) else None  # else the loading step says why
            last = source, _picture(load, person), stamp
        crop, row = cut(last[1], person)
        crops.append(crop if recipe.format == 'raw' else _as_jpeg(crop, recipe.quality))
        rows.append(row)
        images.append(last[2])
    write_shard(path, plan, crops, np.array(rows, np.int32), np.array(images, np.int64))
    written = read_shard(path)
    if written is None:
        raise DataError(f'{path} cannot be read back')
    return number, written, False


def _picture(load: Any, person: Person) -> np.ndarray:
    """A person's picture (H, W, 3).

    Raises:
        ConfigError: If the loading step makes something else of it than a cache can hold.
    """
    picture = load(dict(person.sample))['img']
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ConfigError(
            f'{load} loads {person.sample["img_path"]} as {picture.dtype} {picture.shape}, and a crop cache holds '
            'uint8 with three channels: leave to_float32 and color_type out of the loading step'
        )
    return picture


def _changed(people: Sequence[Person], stamps: np.ndarray) -> bool:
    """Whether a picture is no longer what its crops were cut from."""
    seen = {person.sample['img_path']: tuple(stamp) for person, stamp in zip(people, stamps.tolist(), strict=True)}
    return any(image_changed(path, stamp) for path, stamp in seen.items())


def image_changed(path: str | Path, stamp: Sequence[int]) -> bool:
    """Whether a picture has another content than :func:`image_stamp` saw; one that is not there has none."""
    try:
        size, time, _ = image_stamp(path, content=False)
        return size != stamp[0] or (time != stamp[1] and image_stamp(path)[2] != stamp[2])
    except OSError:
        return False


def cut(picture: np.ndarray, person: Person) -> tuple[np.ndarray, CropRow]:
    """A person's crop (h, w, 3) of a picture (H, W, 3).

    A crop in reduced size is first filled up with black to a multiple of 16 pixels, so that it is reduced by one exact
    factor in both directions.

    Raises:
        DataError: If nothing of it lies in the picture.
    """
    height, width = picture.shape[:2]
    left, top = max(person.region.left, 0), max(person.region.top, 0)
    right, bottom = min(person.region.right, width), min(person.region.bottom, height)
    if left >= right or top >= bottom:
        raise DataError(
            f'the box of annotation id {person.sample["id"]} lies outside its picture {person.sample["img_path"]} '
            f'({width} x {height}): correct it, or remove it'
        )
    row = CropRow(left, top, right - left, bottom - top, person.sixteenths, width, height)
    crop = picture[top:bottom, left:right]
    if person.sixteenths == STEPS:
        return np.ascontiguousarray(crop), row
    crop = cv2.copyMakeBorder(crop, 0, -row.height % STEPS, 0, -row.width % STEPS, cv2.BORDER_CONSTANT)
    size = [side * person.sixteenths // STEPS for side in crop.shape[1::-1]]
    return cv2.resize(crop, size, interpolation=cv2.INTER_AREA), row


def _as_jpeg(crop: np.ndarray, quality: int) -> np.ndarray:
    """A crop as the bytes (n,) of a JPEG picture whose colours are as fine as its brightness."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return cv2.imencode('.jpg', crop, options)[1]
