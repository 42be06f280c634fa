"""The names of joints that a tool's files do not hold."""

from collections.abc import Sequence
from pathlib import Path

from sdpose.errors import DataError, UserError

COCO_JOINTS = (
    *('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_shoulder', 'right_shoulder', 'left_elbow'),
    *('right_elbow', 'left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle'),
    'right_ankle',
)


_LISTS = ('.csv', '.list', '.names', '.txt')  # endings that no joint's name has


def read_names(given: str) -> list[str]:
    """Names as a user gives them: separated by commas, or the name of a file with one in a line.

    Raises:
        UserError: If there are none, or one stands twice, or there is no such file.
    """
    file = Path(given)
    if file.suffix.lower() in _LISTS and not file.is_file():
        raise UserError(f'--joints {given}: there is no such file')
    try:
        text = file.read_text('utf-8') if file.is_file() else given.replace(',', '\n')
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'--joints {given} cannot be read: {error}') from error
    names = [line.strip() for line in text.splitlines() if line.strip()]
    twice = [name for name in names if names.count(name) > 1]
    if not names or twice:
        raise UserError(
            f'--joints {given}: '
            + (f'{twice[0]} stands twice' if twice else 'give names, or a file with one in a line')
        )
    return names


def settle_names(
    given: Sequence[str] | None, found: Sequence[str] | None, count: int, file: str
) -> tuple[list[str], str]:
    """Names for so many joints: those of the user, of the file, or COCO's.

    Args:
        given: By the user.
        found: In the file.
        count: How many there are.
        file: For messages.

    Returns:
        The names, and a sentence about a guess, empty without one.

    Raises:
        UserError: If the user's are another number, or nobody knows any.
    """
    if given is not None:
        if len(given) != count:
            raise UserError(f'--joints names {len(given)} joints, but {file} has {count} for each person')
        return list(given), ''
    if found is not None:
        if len(found) != count:
            raise DataError(f'{file} names {len(found)} joints and has {count} for each person: give --joints')
        return list(found), ''
    if count == len(COCO_JOINTS):
        return list(COCO_JOINTS), f'{file} does not name its 17 joints: they are taken for those of COCO, in its order'
    raise UserError(
        f'{file} does not name its {count} joints: give --joints with their names in order, separated by commas, or a '
        'file with one in a line'
    )
