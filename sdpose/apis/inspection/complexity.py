"""A score against the size of the models that the metafiles list (SDPose, Fig. 1)."""

import numpy as np

from sdpose.config.metafiles import Result, iter_results
from sdpose.errors import UserError
from sdpose.visualization.figures.complexity import Point, draw_complexity

from .result import Inspection


def accuracy_against_complexity(dataset: str = 'COCO', metric: str = 'AP') -> Inspection:
    """Every model with a result, by its parameters and multiply-adds.

    A result that was measured with this code is shown in place of a quoted one; of several quoted ones the first that
    the metafile lists.

    Args:
        dataset: As the metafiles name it.
        metric: As the metafiles name it.

    Returns:
        The arrays ``models``, ``score``, ``params``, ``macs`` and ``measured``, (N,) each; the table says whose each
        score is.

    Raises:
        UserError: If no model has such a result, with what there is.
    """
    results = list(iter_results())
    fitting = [each for each in results if (each.dataset, each.metric) == (dataset, metric)]
    if not fitting:
        known = ', '.join(dict.fromkeys(f'{each.dataset} {each.metric}' for each in results))
        raise UserError(f'no metafile has a result for {dataset} {metric}: choose one of {known}')
    chosen: dict[str, Result] = {}
    for each in sorted(fitting, key=lambda result: bool(result.source)):  # measured ones first
        chosen.setdefault(each.model, each)
    shown = [chosen[name] for name in dict.fromkeys(each.model for each in fitting)]
    points = [
        Point(name, each.method, each.value, each.params / 1e6, each.macs / 1e9, not each.source)
        for name, each in zip(_labels([each.model for each in shown]), shown)
    ]
    measured = sum(point.measured for point in points)
    score = f'{dataset} {metric}'
    figure = draw_complexity(points, score, f'{score} against the size of the deployed model')
    arrays = dict(
        models=np.array([each.model for each in shown]),
        score=np.array([each.value for each in shown]),
        params=np.array([each.params for each in shown]),
        macs=np.array([each.macs for each in shown]),
        measured=np.array([not each.source for each in shown]),
    )
    table = [{**each._asdict(), 'source': each.source or 'measured'} for each in shown]
    return Inspection(figure, f'{len(points)} models, {measured} measured, the others quoted', arrays, table)


def _labels(models: list[str]) -> list[str]:
    """The short names of models, with their backbones where the others are alike."""
    short = [name.split('_')[0] for name in models]
    return [' '.join(name.split('_')[: 1 if short.count(each) == 1 else 2]) for name, each in zip(models, short)]
