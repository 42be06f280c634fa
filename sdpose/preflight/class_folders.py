"""A look at a data set of class folders before training or testing starts; no image is opened."""

import os
from pathlib import Path

from torchvision.datasets.folder import IMG_EXTENSIONS

from sdpose.errors import DataError, first_few


def class_names(folder: str | Path) -> list[str]:
    """The classes of a split's folder.

    Returns:
        The names of its class folders, sorted, which is the order of the labels.

    Raises:
        DataError: If the folder is missing, has no class folders, or one of them holds no image.
    """
    if not Path(folder).is_dir():
        raise DataError(
            f'the image folder {folder} is missing: it should hold one folder per class; put it there, or '
            'correct data_root and data_prefix.img of the dataset in the config'
        )
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    if not names:
        raise DataError(f'{folder} holds no class folders: the layout is {folder}/CLASS/IMAGE')
    empty = [name for name in names if not _holds_image(Path(folder) / name)]
    if empty:
        raise DataError(
            f'{len(empty)} of {len(names)} class folders of {folder} hold no image: {first_few(empty)}; '
            f'fill or remove them (endings that count: {" ".join(IMG_EXTENSIONS)})'
        )
    return names


def check_same_classes(names: list[str], folder: str, reference: list[str], reference_folder: str) -> None:
    """Check that two splits have the same classes, since a label is a class's place among all.

    Raises:
        DataError: If they differ.
    """
    if names == reference:
        return
    missing, extra = sorted(set(reference) - set(names)), sorted(set(names) - set(reference))
    parts = [
        f'{len(found)} only in {place} ({first_few(found)})'
        for found, place in ((missing, reference_folder), (extra, folder))
        if found
    ]
    raise DataError(
        f'{reference_folder} and {folder} have different classes: {", ".join(parts)}; the same class '
        'folders must stand in both, or labels would mean different things'
    )


def _holds_image(folder: Path) -> bool:
    """Whether an image lies in the folder or below; stops at the first."""
    return any(
        name.lower().endswith(IMG_EXTENSIONS) for _, _, files in os.walk(folder, followlinks=True) for name in files
    )
