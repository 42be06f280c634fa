"""What a user says of a data set of one's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

DEFAULT_CONFIG = 'sdpose-s-v1_stemnet_8xb64-300e_coco-256x192'


class Asked(NamedTuple):
    """What a user says; all but the first has a default.

    Attributes:
        annotations: A COCO-style annotation file of people, or of other subjects with joints.
        val: One of other pictures, to validate on; None to set a share of the first one's pictures apart.
        val_share: That share.
        images: The folder of the pictures; None to look for it around the file.
        name: What the data set is called; None for the name of the file.
        config: The config whose model and recipe are taken.
        category: Names or ids, where several categories have key points.
        joints: Names of the joints, where the file does not tell them.
        out: The folder to make; None for ``<name>`` in the current folder, or ``<name>-data`` where that holds
            something else.
        force: Replace one that was made before.
    """

    annotations: Path
    val: Path | None = None
    val_share: float = 0.1
    images: str | None = None
    name: str | None = None
    config: str = DEFAULT_CONFIG
    category: Sequence[str] = ()
    joints: Sequence[str] = ()
    out: Path | None = None
    force: bool = False
