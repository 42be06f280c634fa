"""How exactly people click on each joint: COCO's values, and a stated one for what COCO does not have."""

from collections.abc import Sequence
from typing import NamedTuple

from sdpose.config.joint_names import joint_names
from sdpose.config.joint_sides import JointGuess, guess_joints
from sdpose.preflight.metainfo import load_metainfo


class Sigmas(NamedTuple):
    """Spread of clicks on each joint, relative to the size of the subject, as COCO's metric reads them.

    Attributes:
        values: One per joint.
        guessed: Names of the joints that COCO does not have, whose value is a guess.
        default: That value.
    """

    values: list[float]
    guessed: list[str]
    default: float


def guess_sigmas(joints: Sequence[JointGuess]) -> Sigmas:
    """COCO's sigmas by the part of the body, and for others the mean of COCO's.

    Args:
        joints: What the names of the joints tell.
    """
    coco = load_metainfo(dict(type='CocoDataset'))
    known = {
        joint.part: round(float(sigma), 4)
        for joint, sigma in zip(guess_joints(joint_names(coco)), coco['sigmas'], strict=True)
    }
    mean = round(float(coco['sigmas'].mean()), 3)
    return Sigmas(
        [known.get(joint.part, mean) for joint in joints],
        [joint.name for joint in joints if joint.part not in known],
        mean,
    )
