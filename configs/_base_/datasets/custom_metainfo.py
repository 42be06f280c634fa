# The joints of a data set of one's own, in MMPose's format. Copy this file and custom_256x192.py, and change them: a
# config takes the number of joints, the mirrored pairs of the flips and the sigmas of the metric from here.
dataset_info = dict(
    dataset_name='custom',
    # Numbered as in the annotations. `swap` is the joint on the other side; `type` the half of the body, for the
    # half-body augmentation.
    keypoint_info={
        0: dict(name='nose', type='upper', swap=''),
        1: dict(name='left_shoulder', type='upper', swap='right_shoulder', color=[0, 255, 0]),
        2: dict(name='right_shoulder', type='upper', swap='left_shoulder', color=[255, 128, 0]),
        3: dict(name='left_elbow', type='upper', swap='right_elbow', color=[0, 255, 0]),
        4: dict(name='right_elbow', type='upper', swap='left_elbow', color=[255, 128, 0]),
        5: dict(name='left_wrist', type='upper', swap='right_wrist', color=[0, 255, 0]),
        6: dict(name='right_wrist', type='upper', swap='left_wrist', color=[255, 128, 0]),
        7: dict(name='left_hip', type='lower', swap='right_hip', color=[0, 255, 0]),
        8: dict(name='right_hip', type='lower', swap='left_hip', color=[255, 128, 0]),
    },
    # What is drawn between joints; training does not read it.
    skeleton_info={
        0: dict(link=('left_shoulder', 'right_shoulder'), color=[51, 153, 255]),
        1: dict(link=('left_shoulder', 'left_elbow'), color=[0, 255, 0]),
        2: dict(link=('left_elbow', 'left_wrist'), color=[0, 255, 0]),
        3: dict(link=('right_shoulder', 'right_elbow'), color=[255, 128, 0]),
        4: dict(link=('right_elbow', 'right_wrist'), color=[255, 128, 0]),
        5: dict(link=('left_shoulder', 'left_hip'), color=[51, 153, 255]),
        6: dict(link=('right_shoulder', 'right_hip'), color=[51, 153, 255]),
        7: dict(link=('left_hip', 'right_hip'), color=[51, 153, 255]),
    },
    # Weight of each joint for losses that read it (those of this project's configs do not).
    joint_weights=[1.0] * 9,
    # Spread of people's clicks on each joint relative to the person's size: COCO's values. For a joint that COCO does
    # not have, take that of a similar one.
    sigmas=[0.026, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107],
)
