"""The text of the files of a data set of one's own: metainfo, where the data are, and a config that trains on them."""

from collections.abc import Sequence
from typing import NamedTuple

from sdpose.config.joint_sides import JointGuess

from .sigmas import Sigmas

_LEFT, _RIGHT, _MIDDLE = [0, 255, 0], [255, 128, 0], [51, 153, 255]  # RGB, MMPose's colours of COCO's joints


class Training(NamedTuple):
    """What a training of few people changes of the config that it inherits.

    Attributes:
        batch_size: People per step; None to keep that of the config.
        lr: The learning rate that goes with it; None to keep it.
        before: Batch size of the config in words, for the comment.
    """

    batch_size: int | None
    lr: float | None
    before: str


def write_metainfo(name: str, joints: Sequence[JointGuess], limbs: Sequence[tuple[int, int]], sigmas: Sigmas) -> str:
    """``metainfo.py``: joints, mirrored pairs, limbs and sigmas in MMPose's format, guesses marked."""
    first_of_pair = {joint.name: place for place, joint in enumerate(joints)}
    colours = {
        joint.name: _MIDDLE if not joint.swap else _LEFT if place < first_of_pair[joint.swap] else _RIGHT
        for place, joint in enumerate(joints)
    }
    lines = [
        f"# The joints of {name}, in MMPose's format, written by tools/misc/new_dataset.py. What is marked as guessed",
        '# was not in the annotations: look it over.',
        'dataset_info = dict(',
        f'    dataset_name={name!r},',
        '    # Numbered as in the annotations. Guessed from the names: `swap`, the joint on the other side,',
        "    # and `type`, the half of the body; '' for none.",
        '    keypoint_info={',
    ]
    for place, joint in enumerate(joints):
        lines.append(
            f'        {place}: dict(name={joint.name!r}, type={joint.half!r}, swap={joint.swap!r}, '
            f'color={colours[joint.name]}),'
        )
    lines += ['    },', '    # What is drawn between joints; training does not read it.', '    skeleton_info={']
    for place, (a, b) in enumerate(limbs):
        ends = joints[a].name, joints[b].name
        sides = [colours[end] for end in ends if colours[end] != _MIDDLE]
        colour = sides[0] if sides and sides.count(sides[0]) == len(sides) else _MIDDLE
        lines.append(f'        {place}: dict(link={ends!r}, color={colour}),')
    lines += [
        '    },',
        f'    joint_weights=[1.0] * {len(joints)},',
        '    # Spread of clicks on each joint relative to the size of the subject; the metric measures errors by it.',
        "    # COCO's values where the part of the body is one of COCO's.",
        '    sigmas=[',
    ]
    for joint, sigma in zip(joints, sigmas.values, strict=True):
        lines.append(f'        {sigma},  # {joint.name}{", guessed" if joint.name in sigmas.guessed else ""}')
    return '\n'.join([*lines, '    ],', ')', ''])


def write_data(name: str, root: str, images: tuple[str, str], number: int, guessed: str) -> str:
    """``data.py``: where annotations and pictures are, for any config to take.

    Args:
        name: The data set.
        root: Its folder, as ``data_root``.
        images: Folders of the pictures of the two splits, from ``root`` on, or absolute.
        number: Joints.
        guessed: What else was guessed of folders and split, one line.
    """
    return f"""# Where annotations and pictures of {name} are, for any config to take.
# Guessed: {guessed}.
_base_ = './metainfo.py'

own_root = {root!r}  # from the folder that a command is started in
own_joints = {number}
own_train = dict(
    type='ArrayCocoDataset',
    metainfo='${{dataset_info}}',
    ann_file='annotations/train.json',
    data_prefix=dict(img={images[0]!r}),
)
own_val = dict(
    type='ArrayCocoDataset',
    metainfo='${{dataset_info}}',
    ann_file='annotations/val.json',
    bbox_file=None,  # annotated boxes; or the path of a file of detections
    data_prefix=dict(img={images[1]!r}),
)
"""


def write_leaf(base: str, name: str, training: Training) -> str:
    """The config that trains ``base``'s model on the data."""
    batch = optimizer = ''
    if training.batch_size is not None:
        batch = f'batch_size={training.batch_size}, '
        optimizer = (
            f'# Guessed for so few people: a smaller batch than {training.before}, so that an epoch has some steps'
        )
        optimizer += '.\n' if training.lr is None else ', and a\n# learning rate that follows it by the square root.\n'
        if training.lr is not None:
            optimizer += f'optim_wrapper = dict(optimizer=dict(lr={training.lr!r}))\n'
    return f"""# {name}: the model and the recipe of the first file, on the data of the second.
_base_ = [
    {base!r},
    './data.py',
]

data_root = _base_.own_root
data_hint = 'Start in the folder that data_root counts from, or give --cfg-options data_root=FOLDER'
num_keypoints = _base_.own_joints

{optimizer}train_dataloader = dict({batch}dataset=_base_.own_train)
val_dataloader = dict(dataset=_base_.own_val)
test_dataloader = val_dataloader

val_evaluator = dict(_delete_=True, type='ArrayCocoMetric', ann_file='${{data_root}}annotations/val.json')
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='coco/AP'))
"""
