"""A student beside its teacher: predictions, heatmaps, attention and features, and the terms between them.

Shapes: B batch, K joints, C channels, H and W the size of a map, rows and columns of a grid of patches.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmpose.registry import MODELS

from sdpose.config.load import load_config
from sdpose.config.nodes import resolve_type
from sdpose.errors import ConfigError
from sdpose.models.distillers.teacher_distiller import TeacherDistiller
from sdpose.models.losses.simulated_heatmap_loss import SimulatedHeatmapLoss
from sdpose.models.outputs import ModelOutputs, run_model
from sdpose.models.transformers import MultiCycledTransformer
from sdpose.visualization.figures.views import Gap, View, draw_views

from .attention import over_patches
from .crop import Crop
from .predictions import heatmaps, keypoints
from .result import Inspection

_SIDES = ('student', 'teacher')
_NO_TEACHER = (
    'has no teacher: name the config of a student with a TeacherDistiller, as those of DistilPose, DPPT and IKD'
)


def compare_teacher(crop: Crop) -> Inspection:
    """What a student and its teacher make of the same crop, both in eval mode.

    Args:
        crop: What the student sees; its config has a ``TeacherDistiller``, whose checkpoint is there.

    Returns:
        The arrays ``keypoints`` (2, K, 3), student first, x, y in pixels of the crop and score; ``apart`` (K,), the
        distance of the two in pixels; ``student_heatmaps`` and ``teacher_heatmaps`` (K, H, W), of a head that regresses
        sigmas those of its Gaussians; ``student_attention`` and ``teacher_attention`` (layers, rows, columns), of the
        joints' tokens over patches, the mean over heads and the sum over joints; ``student_features`` and
        ``teacher_features`` (H, W), the mean square over the channels of the backbone's last map; and the weighted
        ``terms`` with their names in ``term_names``. The table has a row per joint.

    Raises:
        ConfigError: If the model is a classifier or has no teacher, or the teacher's config or checkpoint is missing.
        MismatchError: If the checkpoint does not fill the teacher.
    """
    student, teacher, distiller = _run(crop)
    models = crop.loaded.model, distiller.teacher.model
    people = np.stack(
        [keypoints(crop, outputs.feats, model) for outputs, model in zip((student, teacher), models)]
    )  # (2, K, 3)
    apart = np.linalg.norm(people[0, :, :2] - people[1, :, :2], axis=1)  # (K,)
    arrays: dict[str, np.ndarray] = dict(keypoints=people, apart=apart)
    for side, outputs, model in zip(_SIDES, (student, teacher), models):
        arrays.update({f'{side}_{name}': values for name, values in _maps(outputs, model, teacher).items()})
    terms = _terms(crop, distiller)
    arrays.update(term_names=np.array(list(terms)), terms=np.array(list(terms.values())))
    of = f'student {crop.loaded.name}\nteacher {Path(distiller.teacher.config).stem}'
    views = [View(side, person, _shown(arrays, side)) for side, person in zip(_SIDES, people)]
    said = ', '.join(f'{name} {value:.3g}' for name, value in terms.items()) or 'none without an adapter'
    bars = {
        'joints apart by (pixels of the crop)': apart,
        'score: student less teacher': people[0, :, 2] - people[1, :, 2],
    }
    gap = Gap(f'weighted terms: {said}', bars, {})
    figure = draw_views(crop.pixels, views, [gap], crop.loaded.joints, crop.loaded.skeleton, 'Student and teacher', of)
    farthest = f'at most {apart.max():.2f} ({crop.loaded.joints[int(apart.argmax())]})'
    summary = f'student and teacher are {apart.mean():.2f} pixels of the crop apart, {farthest}; {said}'
    return Inspection(figure, summary, arrays, _table(crop, people, apart))


def name_teacher(config: str, checkpoint: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
    """Overrides of a student's config by which it has a teacher's checkpoint.

    Args:
        config: The student's config.
        checkpoint: The teacher's.
        options: Further overrides.

    Raises:
        ConfigError: If the config has no teacher.
    """
    distiller = load_config(config, options).model.get('distiller') or {}
    kind = resolve_type(distiller, MODELS)
    if kind is None or not issubclass(kind, TeacherDistiller):
        raise ConfigError(f'--teacher {checkpoint}: {config} {_NO_TEACHER}')
    return {**(options or {}), 'model.distiller.checkpoint': checkpoint}


def _run(crop: Crop) -> tuple[ModelOutputs, ModelOutputs, TeacherDistiller]:
    """What both make of the crop, with their attention where they have tokens."""
    loaded = crop.loaded
    distiller = getattr(loaded.model, 'distiller', None)
    if loaded.is_classifier or not isinstance(distiller, TeacherDistiller):
        raise ConfigError(f'{loaded.name} {_NO_TEACHER}')
    distiller.prepare(loaded.model)
    with torch.no_grad():
        student = run_model(loaded.model, crop.inputs, _has_tokens(loaded.model))
        teacher = distiller.teacher.outputs(crop.inputs, _has_tokens(distiller.teacher.model))
    return student, teacher, distiller


def _has_tokens(model: Any) -> bool:
    return isinstance(getattr(model, 'neck', None), MultiCycledTransformer)


def _maps(outputs: ModelOutputs, model: Any, teacher: ModelOutputs) -> dict[str, np.ndarray]:
    """Heatmaps (K, H, W), attention (layers, rows, columns) and features (H, W), as far as a model has them."""
    found = {'features': outputs.map(None)[0].square().mean(dim=0).numpy()}
    with torch.no_grad():
        prediction, taught = outputs.prediction(outputs.deployed), teacher.prediction(teacher.deployed)
    maps = heatmaps(prediction)
    if maps is None and getattr(prediction, 'sigma', None) is not None and heatmaps(taught) is not None:
        maps = SimulatedHeatmapLoss.simulate(prediction.coords, prediction.sigma, taught.shape[:1:-1])[0][0].numpy()
    if maps is not None:
        found['heatmaps'] = maps
    if _has_tokens(model):
        attention = over_patches(outputs.feats, model.neck)[outputs.deployed]  # (layers, heads, K, rows, columns)
        found['attention'] = attention.mean(axis=1).sum(axis=1)
    return found


def _shown(arrays: dict[str, np.ndarray], side: str) -> dict[str, np.ndarray]:
    """The maps of one side that are drawn, by their names."""
    shown = {}
    if (maps := arrays.get(f'{side}_heatmaps')) is not None:
        shown['heatmaps, their maximum'] = maps.max(axis=0).clip(0)
    if (attention := arrays.get(f'{side}_attention')) is not None:
        shown['attention of joints, last layer'] = attention[-1]
    shown['backbone, mean square'] = arrays[f'{side}_features']
    return shown


def _terms(crop: Crop, distiller: TeacherDistiller) -> dict[str, float]:
    """The weighted terms; those whose adapters the checkpoint lacks, as a published one does, are left out."""
    learned = {
        name
        for name, term in distiller.terms.items()
        if all(f'distiller.terms.{name}.{key}' in crop.loaded.given for key in term.state_dict())
    }
    weights = torch.ones(1, len(crop.loaded.joints))
    sample = SimpleNamespace(gt_instance_labels=SimpleNamespace(keypoint_weights=weights))
    with torch.no_grad():
        values = distiller.losses(*distiller.run(crop.loaded.model, crop.inputs), [sample])
    return {name: float(value) for name, value in values.items() if name in learned}


def _table(crop: Crop, people: np.ndarray, apart: np.ndarray) -> list[dict[str, Any]]:
    """A row per joint: where both have it, and how far that is apart."""
    rows = []
    for number, joint in enumerate(crop.loaded.joints):
        row: dict[str, Any] = dict(joint=joint)
        for side, person in zip(_SIDES, people):
            row.update(zip((f'{side}_x', f'{side}_y', f'{side}_score'), person[number].tolist()))
        rows.append({**row, 'apart': float(apart[number])})
    return rows
