"""Student and teacher: each predicts as it does alone, and the terms are those of a training step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sdpose.apis.inspection.attention import patch_attention
from sdpose.apis.inspection.crop import Crop, crop_picture, load_model
from sdpose.apis.inspection.predictions import keypoints
from sdpose.apis.inspection.teaching import compare_teacher, name_teacher
from sdpose.errors import ConfigError, MismatchError
from sdpose.models.losses.simulated_heatmap_loss import SimulatedHeatmapLoss
from sdpose.models.outputs import run_model

TEACHERS = {'distilpose': 'tokenpose', 'dppt': 'mpii', 'ikd': 'simple'}


@pytest.fixture
def taught(checkpoint: Callable, picture: str, names: dict[str, str]) -> Callable[..., Crop]:
    """The picture as a student sees it whose teacher has a checkpoint."""

    def see(name: str, teacher: str | None = None) -> Crop:
        weights = checkpoint(teacher or TEACHERS[name])
        options: dict[str, Any] = {'model.distiller.checkpoint': weights}
        return crop_picture(load_model(names[name], checkpoint(name), options), picture)

    return see


@pytest.mark.parametrize('name', TEACHERS)
def test_each_side_predicts_as_it_does_alone(
    name: str, taught: Callable, checkpoint: Callable, picture: str, names: dict[str, str]
) -> None:
    crop = taught(name)
    found = compare_teacher(crop)
    alone = crop_picture(load_model(names[TEACHERS[name]], checkpoint(TEACHERS[name])), picture)
    for side, seen in zip((0, 1), (crop, alone)):
        with torch.no_grad():
            feats = run_model(seen.loaded.model, seen.inputs).feats
        np.testing.assert_allclose(found.arrays['keypoints'][side], keypoints(seen, feats), atol=5e-3)
    places = found.arrays['keypoints'][..., :2]
    np.testing.assert_allclose(found.arrays['apart'], np.linalg.norm(places[0] - places[1], axis=1), atol=1e-5)
    assert ('student_attention' in found.arrays) == (name != 'ikd')
    if name != 'ikd':
        attention = patch_attention(alone).arrays['attention'][0].mean(axis=1).sum(axis=1)
        np.testing.assert_allclose(found.arrays['teacher_attention'], attention, atol=1e-6)
    assert found.arrays['terms'].shape == (len(crop.loaded.model.distiller.terms),)
    assert np.isfinite(found.arrays['terms']).all()
    assert found.table[0]['joint'] == crop.loaded.joints[0] and found.table[0]['apart'] == found.arrays['apart'][0]


def test_terms_and_simulated_heatmaps(taught: Callable) -> None:
    crop = taught('distilpose')
    found = compare_teacher(crop)
    model = crop.loaded.model
    terms = dict(zip(found.arrays['term_names'].tolist(), found.arrays['terms'].tolist()))
    with torch.no_grad():
        student = run_model(model, crop.inputs)
        teacher = model.distiller.teacher.outputs(crop.inputs, False)
        query = model.distiller.terms['loss_query'](student.tokens(0).query, teacher.tokens(0).query)
        prediction = student.prediction(0)
        width, height = 12, 16
        maps, _ = SimulatedHeatmapLoss.simulate(prediction.coords, prediction.sigma, (width, height))
    assert terms['loss_query'] == pytest.approx(float(query), rel=1e-5)
    np.testing.assert_allclose(found.arrays['student_heatmaps'], maps[0], rtol=1e-4, atol=2e-5)


def test_terms_whose_adapter_was_not_published_are_left_out(
    taught: Callable, tmp_path: Path, checkpoint: Callable, names: dict[str, str]
) -> None:
    weights = torch.load(checkpoint('ikd'))['state_dict']
    published = {key: value for key, value in weights.items() if not key.startswith('distiller.')}
    torch.save(dict(state_dict=published), tmp_path / 'published.pth')
    options = {'model.distiller.checkpoint': checkpoint('simple')}
    model = load_model(names['ikd'], str(tmp_path / 'published.pth'), options)
    crop = taught('ikd')
    found = compare_teacher(Crop(model, crop.pixels, crop.inputs, crop.sample))
    assert found.arrays['term_names'].tolist() == ['loss_logit', 'loss_structure']


def test_bad_input_is_named(taught: Callable, crop_of: Callable) -> None:
    for name in ('sdpose', 'deit', 'simple'):
        with pytest.raises(ConfigError, match='has no teacher: name the config of a student with a TeacherDistiller'):
            compare_teacher(crop_of(name))
    for name in ('sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48', 'tokenpose-tiny_stemnet_1xb32-30e_synthetic-64x48'):
        with pytest.raises(ConfigError, match=f'^--teacher t.pth: {name} has no teacher: name the config of a student'):
            name_teacher(name, 't.pth')
    named = name_teacher('distilpose-tiny_stemnet_1xb32-30e_synthetic-64x48', 't.pth', {'max_epochs': 3})
    assert named == {'max_epochs': 3, 'model.distiller.checkpoint': 't.pth'}
    with pytest.raises(ConfigError, match=r'model.distiller.checkpoint|cannot be loaded'):
        crop = crop_of('distilpose')
        crop.loaded.model.distiller.teacher.checkpoint = None
        compare_teacher(crop)
    with pytest.raises(MismatchError, match='does not fit the model'):
        compare_teacher(taught('distilpose', 'mpii'))
