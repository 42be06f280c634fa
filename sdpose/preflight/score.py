"""Whether something trains the score that a coordinate head predicts."""

import logging
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.logging import print_log

from sdpose.models.heads.token_reg_head import MODES


def check_score(cfg: Config, splits: Sequence[str]) -> None:
    """Say so before a training if a head regresses a score and no term of the distiller compares it.

    The head's own loss reads coordinates alone. People are ranked by their scores, and an untrained one ruins the AP
    of good coordinates: the usual accident with a DistilPose head and no teacher.
    """
    if 'train' not in splits:
        return
    model = cfg.get('model', {})
    head = model.get('head') or {}
    mode = MODES.get(head.get('mode', '')) if head.get('type') == 'TokenRegHead' else None
    terms = ((model.get('distiller') or {}).get('terms') or {}).values()
    if mode is not None and mode.has_score and not any(term and term.get('type') == 'ScoreLoss' for term in terms):
        print_log(
            f'nothing trains the score of model.head.mode={head["mode"]!r}, by which people are ranked: use '
            "mode='xy', whose scores are 1, or a model.distiller with a ScoreLoss (configs/distilpose)",
            'current',
            logging.WARNING,
        )
