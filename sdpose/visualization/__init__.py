"""Pictures for people: skeletons over images, contact sheets, predictions of a result file."""

from .contact_sheet import contact_sheet
from .predictions import draw_predictions
from .skeleton_drawing import draw_people, sides_of

__all__ = ['contact_sheet', 'draw_people', 'draw_predictions', 'sides_of']
