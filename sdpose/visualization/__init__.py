"""Pictures for people: skeletons over images, contact sheets, annotated beside predicted people."""

from .contact_sheet import contact_sheet
from .panel import write_label
from .predictions import PicturePeople, draw_page
from .skeleton import Skeleton, sides_of
from .skeleton_drawing import draw_people

__all__ = ['PicturePeople', 'Skeleton', 'contact_sheet', 'draw_page', 'draw_people', 'sides_of', 'write_label']
