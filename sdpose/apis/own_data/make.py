"""Writes a data set of one's own: checked annotations, metainfo, data base and a config that trains on them."""

import json
import logging
import re
from pathlib import Path
from typing import NamedTuple

from mmengine.logging import MMLogger

from sdpose.config.find import find_config
from sdpose.config.joint_sides import guess_joints
from sdpose.config.options import prepare
from sdpose.errors import UserError, first_few
from sdpose.io.folders import atomic_folder, signals_unwind
from sdpose.preflight import check_all

from .annotations import Subjects, is_usable, read_subjects
from .asked import Asked
from .files import write_data, write_leaf, write_metainfo
from .inherited import fit_training, leaf_name, read_inherited
from .parts import Part, split_parts
from .placing import name_places
from .sigmas import guess_sigmas
from .told import say_joints, say_read, say_where

_NAME = re.compile(r'[A-Za-z0-9][\w.-]*')


class NewDataset(NamedTuple):
    """What was written.

    Attributes:
        folder: The folder.
        config: The config in it.
        read: What the files say, one line each.
        guessed: What they do not say, one line each.
    """

    folder: Path
    config: Path
    read: list[str]
    guessed: list[str]


def new_dataset(asked: Asked) -> NewDataset:
    """Write a folder from which ``tools/train.py`` trains on annotated pictures.

    It holds ``metainfo.py`` (joints, mirrored pairs, limbs, sigmas), ``data.py`` (where the data are),
    ``annotations/train.json`` and ``val.json``, and a config. Before it appears under its name, the config is loaded
    and every check of a training is made.

    Raises:
        UserError: If something must be said that the files do not tell, the folder is there, or a check fails.
    """
    name = _name_of(asked)
    cfg = read_inherited(asked.config)
    leaf = leaf_name(find_config(asked.config), name)
    out = asked.out or _free_folder(name, leaf)
    _require_free(out, leaf, asked.force)
    subjects = read_subjects(asked.annotations, asked.category, asked.joints)
    train, val, guessed = split_parts(asked, subjects)
    joints = guess_joints(subjects.joints)
    sigmas = guess_sigmas(joints)
    people = sum(map(is_usable, train.annotations))
    training = fit_training(cfg, people)
    root, base, folders = name_places(out, find_config(asked.config), (train.folder, val.folder))
    place = say_where(asked, train, val)
    texts = {
        'metainfo.py': write_metainfo(name, joints, subjects.limbs, sigmas),
        'data.py': write_data(name, root, folders, len(joints), place),
        leaf: write_leaf(base, name, training),
        'annotations/train.json': _as_coco(subjects, train),
        'annotations/val.json': _as_coco(subjects, val),
    }
    with signals_unwind(), atomic_folder(out) as partial:
        for file, text in texts.items():
            (partial / file).parent.mkdir(exist_ok=True)
            (partial / file).write_text(text, encoding='utf-8')
        _check(partial, out, leaf)
    guessed = [place, *guessed, *say_joints(joints, sigmas)]
    if training.batch_size is not None:
        guessed.append(
            f'batch of {training.batch_size} (not {training.before}) for {people} people, learning rate '
            f'{training.lr or "as it was"}'
        )
    return NewDataset(out, out / leaf, say_read(subjects, train, val), guessed)


def _name_of(asked: Asked) -> str:
    """The name of the data set, good for files."""
    if asked.name is not None:
        if not _NAME.fullmatch(asked.name):
            raise UserError(f'--name {asked.name!r}: it names files: use letters, digits, -, _ and .')
        return asked.name
    stem = re.sub(r'[^A-Za-z0-9_-]+', '-', asked.annotations.stem).strip('-_')
    return stem or 'own'


def _free_folder(name: str, leaf: str) -> Path:
    """The folder of a name, or, where that is the pictures' or holds something else, ``<name>-data``."""
    return Path(f'{name}-data' if _others_in(Path(name), leaf) else name)


def _others_in(folder: Path, leaf: str) -> list[str]:
    """What a folder holds beside the files that are written here."""
    ours = {'metainfo.py', 'data.py', 'annotations', '.annotation_cache', leaf}
    return sorted(entry.name for entry in folder.iterdir() if entry.name not in ours) if folder.is_dir() else []


def _require_free(out: Path, leaf: str, force: bool) -> None:
    """Check that nothing of a user's is replaced."""
    if not out.exists() or out.is_dir() and not any(out.iterdir()):
        return
    if not out.is_dir():
        raise UserError(f'{out} is a file, and a folder of that name is to be made: name another one, --out FOLDER')
    others = _others_in(out, leaf)
    if others:
        raise UserError(f'the folder {out} holds other files ({first_few(others)}): name another one, --out FOLDER')
    if not force:
        raise UserError(
            f'{out} is there: --force makes it anew, with all that was changed in it; or name another one, --out FOLDER'
        )


def _as_coco(subjects: Subjects, split: Part) -> str:
    """One part as a COCO file of one category."""
    category = dict(
        id=1,
        name=subjects.category,
        keypoints=list(subjects.joints),
        skeleton=[[a + 1, b + 1] for a, b in subjects.limbs],
    )
    return json.dumps(dict(images=split.images, annotations=split.annotations, categories=[category]))


def _check(partial: Path, out: Path, leaf: str) -> None:
    """Load the config and look at the data, as a training will.

    Raises:
        UserError: Of the first check that fails, with the names that the files would have.
    """
    logger = MMLogger.get_current_instance()

    def rename(record: logging.LogRecord) -> bool:
        record.msg = str(record.msg).replace(str(partial), str(out))
        return record.levelno >= logging.WARNING

    logger.addFilter(rename)
    try:
        cfg = prepare(str(partial / leaf), cfg_options={'data_root': f'{partial}/'})
        check_all(cfg, ('train', 'val'))
    except UserError as error:
        raise type(error)(str(error).replace(str(partial), str(out))) from error
    finally:
        logger.removeFilter(rename)
