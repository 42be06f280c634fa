"""What tokens, batch and threads cost, as a table and a picture."""

import os
from statistics import median
from typing import Any

import torch

from sdpose.benchmarks.table import Table
from sdpose.benchmarks.timing import clock_for, interleaved
from sdpose.config.building import build_model
from sdpose.deploy.optimize import optimize_for_inference
from sdpose.errors import UserError

from .subjects import Subject, randomize

_PATCHES = ((3, 4), (2, 2), (3, 1))  # (w, h) in cells of the feature map: 256, 768 and 1024 tokens at 256x192
_BATCHES = (1, 2, 4, 8, 16, 32)


def table(subject: Subject, models: dict[int, Any], rounds: int, file: str, where: str, quick: bool) -> Table:
    """Milliseconds per image of the deployed model in torch, by one of the three at a time.

    Args:
        subject: The model whose sizes are changed.
        models: It with other patches, as :func:`by_tokens` makes it.
        rounds: Times that each is timed.
        file: The picture.
        where: The machine.
        quick: Whether small batches suffice.
    """
    threads = torch.get_num_threads()
    clock = clock_for(threads)
    batches = _BATCHES[: 3 if quick else None]
    times = {
        'tokens': interleaved(
            {str(count): _runner(model, subject, 1) for count, model in models.items()}, rounds, 1, clock
        ),
        'images at a time': interleaved(
            {str(size): _runner(models[min(models)], subject, size) for size in batches}, rounds, 1, clock
        ),
    }
    by_threads = {}
    for count in range(1, (os.cpu_count() or 1) + 1):
        torch.set_num_threads(count)
        run = _runner(models[min(models)], subject, batches[-1])
        by_threads[str(count)] = interleaved({'run': run}, rounds, 1)['run']
    torch.set_num_threads(threads)
    times['threads'] = by_threads
    images = {'tokens': dict.fromkeys(times['tokens'], 1), 'images at a time': {str(size): size for size in batches}}
    images['threads'] = dict.fromkeys(by_threads, batches[-1])
    rows = [
        {'what': what, 'value': int(value), 'ms per image': round(1000 * median(seconds) / images[what][value], 2)}
        for what, series in times.items()
        for value, seconds in series.items()
    ]
    _draw(rows, file, subject.name)
    notes = (f'torch, deployed; {threads} thread(s) but for the last rows, which run {batches[-1]} images; {where}.',)
    return Table(f'What it costs: {subject.name}', ('what', 'value', 'ms per image'), rows, notes)


def by_tokens(subject: Subject) -> dict[int, Any]:
    """The deployed model with other patches, those that its map is cut into without a rest, by its number of tokens.

    Raises:
        UserError: If the model has no such tokens, or none of the patches fits.
    """
    cfg = subject.cfg
    if cfg is None or 'patch_size' not in (cfg.model.get('neck') or {}):
        raise UserError(f'--plot: {subject.name} has no model.neck.patch_size, so its tokens cannot be varied')
    columns, rows = subject.model.neck.tokenizer.feature_size
    models = {}
    for width, height in _PATCHES:
        if columns % width or rows % height:
            continue
        settings = cfg.model.to_dict()
        settings['neck']['patch_size'] = (width, height)
        model: Any = build_model(settings).eval()
        randomize(model)
        models[columns // width * (rows // height)] = optimize_for_inference(model, subject.size)
    if not models:
        raise UserError(
            f'--plot: the map of {subject.name}, {columns} x {rows} cells, is cut by none of the patches '
            f'{", ".join(f"{width} x {height}" for width, height in _PATCHES)}'
        )
    return models


def _runner(model: Any, subject: Subject, batch: int) -> Any:
    image = torch.rand(batch, 3, *subject.size)

    def run() -> None:
        with torch.no_grad():
            model(image, None, mode='tensor')

    return run


def _draw(rows: list[dict[str, Any]], file: str, name: str) -> None:
    """Three curves side by side."""
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(row['what'] for row in rows))
    figure = Figure(figsize=(10, 3.2), layout='constrained')
    for axes, kind in zip(figure.subplots(1, len(kinds)), kinds):
        points = [(row['value'], row['ms per image']) for row in rows if row['what'] == kind]
        axes.plot(*zip(*points), marker='o')
        axes.set(xlabel=kind, ylabel='ms per image')
        if kind == 'images at a time':  # the first ones would stand on each other
            axes.set_xscale('log', base=2)
        axes.set_xticks([value for value, _ in points], [str(value) for value, _ in points])
        axes.set_ylim(0, 1.05 * max(cost for _, cost in points))
        axes.grid(alpha=0.3)
    figure.suptitle(f'{name}, deployed, torch')
    figure.savefig(file, dpi=120)
