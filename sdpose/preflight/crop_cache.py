"""Checks of crop caches that training loads from, before anything of them is read in the middle of an epoch."""

import contextlib
import copy
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope

from sdpose.config.nodes import iter_leaves
from sdpose.datasets.array_coco_dataset import ArraySamples
from sdpose.datasets.crop_cache.build import image_changed
from sdpose.datasets.crop_cache.reach import Reach
from sdpose.datasets.crop_cache.store import CropCache, same_data
from sdpose.errors import ConfigError, DataError, first_few
from sdpose.io.digest import sha256_of

from .datasets import check_datasets, pipeline_of
from .reading import build_unread

_STEP = 'LoadCachedCrop'
_MOST_HASHED = 64  # pictures with another time of change whose content is compared


def check_crop_caches(cfg: Config, splits: Sequence[str]) -> None:
    """Check the caches that a config's data load crops from.

    Raises:
        ConfigError: If an evaluation loads from one, the steps reach farther than its crops, or the config names one
            that its training does not load from.
        DataError: If one is missing, not finished, of other annotations, or of pictures that have changed since.
    """
    config = str(cfg.filename or 'CONFIG')
    for split in splits:
        loader = cfg.get(f'{split}_dataloader') or {}
        leaves = [(each, pipeline_of(each, above)) for each, above in iter_leaves(loader.get('dataset'))]
        if split != 'train' and any(step.get('type') == _STEP for _, steps in leaves for step in steps):
            raise ConfigError(
                f'{split}_dataloader loads from a crop cache, where predictions would lie in pixels of the crops: '
                'begin its pipeline with LoadCheckedImage'
            )
        cached = [(each, steps) for each, steps in leaves if steps and steps[0].get('type') == _STEP]
        if split == 'train' and not cached and (cfg.get('load_step') or {}).get('type') == _STEP:
            raise ConfigError(
                f"load_step names the crop cache {cfg.load_step.get('cache')}, but the training's pipeline does not "
                "begin with '${load_step}': have it begin so in the config, or train without a crop cache"
            )
        for cache in (steps[0].get('cache') for _, steps in cached):
            if not isinstance(cache, (str, Path)) or not str(cache):
                raise ConfigError(
                    f"{_STEP}'s cache is {cache!r}: name the folder of a crop cache (load_step.cache=DIR)"
                )
        for folder in dict.fromkeys(str(steps[0].get('cache')) for _, steps in cached):
            _check(folder, [each for each in cached if str(each[1][0].get('cache')) == folder], split, config)


def check_data_to_cut(cfg: Config) -> None:
    """Check the training data that a cache is to be made of, whose pictures are read even if the config reads crops."""
    plain = Config(copy.deepcopy(cfg.to_dict()), filename=cfg.filename)
    for dataset, above in iter_leaves(plain.train_dataloader.dataset):
        for step in pipeline_of(dataset, above)[:1]:
            if step.get('type') == _STEP:
                step.pop('cache', None)
                step['type'] = 'LoadCheckedImage'
    check_datasets(plain, ['train'])


def reads_crops(cfg: Config, folder: str) -> bool:
    """Whether every data set of a config's training loads people from a crop cache."""
    leaves = [pipeline_of(each, above) for each, above in iter_leaves(cfg.train_dataloader.dataset)]
    return all(steps and (steps[0].get('type'), steps[0].get('cache')) == (_STEP, folder) for steps in leaves)


def _check(folder: str, cached: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]], split: str, config: str) -> None:
    """Check one cache for the data sets that load from it."""
    init_default_scope('mmpose')
    cache = CropCache(folder, config)
    names, stamps = cache.images()
    known, first = {}, 0
    for each in cache.about['datasets']:
        known[each['sha256']] = slice(first, first := first + each['images'])
    for dataset, steps in cached:
        built = build_unread(dataset, f'{split}_dataloader.dataset')
        found = sha256_of(built.ann_file)
        if found not in known:
            now = dict(ann_file=built.ann_file, sha256=found)
            older = any(same_data(each, now) for each in cache.about['datasets'])
            others = ', '.join(f'{each["sha256"][:12]} ({each["ann_file"]})' for each in cache.about['datasets'])
            raise DataError(
                f'the crop cache {folder} is of {"older annotations" if older else "another data set"}: '
                f'{built.ann_file} has the hash {found[:12]}, it was made of {others}: '
                + (cache.cure if older else f'make one in another folder by {cache.command_for(config, "DIR")}')
            )
        _check_reach(cache, Reach(steps).describe())
        _check_people(cache, built)
        _check_images(cache, Path(built.data_prefix.get('img') or '.'), names[known[found]], stamps[known[found]])
    cache.check_shards()


def _check_reach(cache: CropCache, reach: list[str]) -> None:
    """Check that the steps are those that the crops were cut for."""
    recipe = cache.about['recipe']
    for cut_for, step in zip([*recipe['reach'], '(no step)'], [*reach, '(no step)'], strict=False):
        if cut_for != step:
            raise ConfigError(
                f'the crops of {cache.folder} were cut for other steps of the training pipeline, which may read beyond '
                f'them: {cut_for} there, {step} in the config: {cache.cure}'
            )


def _check_people(cache: CropCache, dataset: Any) -> None:
    """Check that everybody has a crop: a cache may be of a part of a file."""
    dataset.serialize_data = False  # nobody else gets these samples
    with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
        dataset.full_init()
    people = dataset.data_list
    if isinstance(people, ArraySamples):
        told = zip(people.image_paths(), people.ids(), strict=True)
        people = [dict(img_path=path, id=number) for path, number in told]
    lacking = cache.lacking(people)
    if len(lacking):
        first = people[lacking[0]]
        raise DataError(
            f'the crop cache {cache.folder} lacks {len(lacking)} of {len(people)} people of {dataset.ann_file} (first: '
            f'annotation id {first["id"]} on {first["img_path"]}), since it was made with other options of the data '
            f'set (indices, sample_interval, filter_cfg): {cache.cure}'
        )


def _check_images(cache: CropCache, folder: Path, names: Sequence[str], stamps: np.ndarray) -> None:
    """Check that pictures, where they are there, are what the crops were cut from.

    All are compared by size, and by content some of those that only have another time: a copy of a data set has.
    """
    sizes = dict(zip(names, stamps.tolist(), strict=True))
    changed, touched = [], []
    for name, (size, time, _) in sizes.items():
        try:
            stat = (folder / name).stat()
        except OSError:
            continue  # not there, which training from crops does not mind
        if stat.st_size != size:
            changed.append(name)
        elif stat.st_mtime_ns != time:
            touched.append(name)
    some = touched[:: max(1, len(touched) // _MOST_HASHED)]
    changed += [name for name in some if image_changed(folder / name, sizes[name])]
    if changed:
        raise DataError(
            f'{len(changed)} image(s) below {folder} have changed since the crop cache {cache.folder} was made '
            f'({first_few(changed)}): {cache.cure}'
        )
