"""Data sets of photographs and videos that nobody has labelled: another model's joints are their labels."""

from .blaze_pose import BlazePose, TaughtPerson
from .command import label_by_name
from .label import Labelled, label

__all__ = ['BlazePose', 'Labelled', 'TaughtPerson', 'label', 'label_by_name']
