"""What the tools of ``tools/visualization`` share: their arguments, and a look at every box of every picture."""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sdpose.apis import cli

OUT = 'work_dirs/inspection'


def parser(description: str | None, pictures: bool = True) -> argparse.ArgumentParser:
    """The arguments ``CONFIG CHECKPOINT IMAGE...`` and the options of all tools.

    Args:
        description: The tool's.
        pictures: Whether it looks at pictures.
    """
    made = argparse.ArgumentParser(description=description)
    add = made.add_argument
    add('config', help="config file, or the name of one of the package's configs")
    add('checkpoint', help='checkpoint of a training, or a published one')
    if pictures:
        add('images', nargs='+', metavar='IMAGE', help='pictures')
        add(
            '--bbox',
            nargs=4,
            type=float,
            action='append',
            metavar=('X', 'Y', 'W', 'H'),
            help='a person: left, top, width and height in pixels; again for further ones (default: the whole picture)',
        )
    add('--out', default=OUT, metavar='DIR', help='folder to write to (default: %(default)s)')
    cli.add_override_option(made)
    return made


def look(args: argparse.Namespace, name: str, inspect: Callable[[Any], Any]) -> Iterator[str]:
    """Write what is seen in every box of every picture.

    Args:
        args: Of :func:`parser`.
        name: Of what is seen; files are called ``<picture>-<name>.png``, or ``<picture>-box2-<name>.png``.
        inspect: Makes an ``Inspection`` of a ``Crop``.

    Yields:
        A line for each box: the files and what they show.

    Raises:
        UserError: If the model, a picture or an option is missing or wrong.
    """
    from sdpose.io.single_picture import check_source

    from .crop import crop_picture, load_model

    for image in args.images:
        check_source(image)
    loaded = load_model(args.config, args.checkpoint, args.cfg_options)
    seen: Counter[str] = Counter()
    for image in args.images:
        for number, bbox in enumerate(args.bbox or [None], start=1):
            stem = Path(image).stem + (f'-box{number}' if len(args.bbox or ()) > 1 else '')
            seen[stem] += 1
            again = f'-{seen[stem]}' if seen[stem] > 1 else ''  # two pictures of one name
            yield write(inspect(crop_picture(loaded, image, bbox)), Path(args.out, f'{stem}{again}-{name}'))


def write(inspection: Any, stem: Path) -> str:
    """Write an ``Inspection`` as files of this stem; the line that says where it is and what it shows."""
    files = inspection.save(stem)
    endings = ', '.join(file.suffix for file in files[1:])
    return f'{files[0]} (numbers in {endings}): {inspection.summary}'
