"""The names of a data set's joints."""

from sdpose.config.joint_names import joint_names


def test_they_stand_as_they_are_numbered() -> None:
    assert joint_names(dict(keypoint_id2name={2: 'knee', 0: 'nose', 1: 'hip'})) == ['nose', 'hip', 'knee']
