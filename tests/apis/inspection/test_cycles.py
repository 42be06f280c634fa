"""Distances between cycles are those that self-distillation takes; predictions are those of the deployed cycle."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from sdpose.apis.inspection.cycles import compare_cycles
from sdpose.errors import ConfigError


@pytest.mark.parametrize('name', ['sdpose', 'reg', 'sdpose-ppt'])
def test_distances_and_predictions(name: str, crop_of: Callable) -> None:
    crop = crop_of(name)
    found = compare_cycles(crop)
    one, two = crop.run_cycles().cycles
    query = (one.query - two.query)[0]
    assert found.arrays['query_mse'][0] == pytest.approx(float(query.square().mean()), rel=1e-5)
    visual = (one.visual_content - two.visual_content)[0]
    assert found.arrays['visual_mse'][0] == pytest.approx(float(visual.square().mean()), rel=1e-4)
    expected = query.norm(dim=-1) / two.query[0].norm(dim=-1)
    np.testing.assert_allclose(found.arrays['query_distance'][0], expected, rtol=1e-5)
    np.testing.assert_array_equal(found.arrays['query_tokens'][1], two.query[0])
    alive = ~np.isnan(found.arrays['visual_distance'][0])
    assert alive.sum() == one.visual.shape[1]
    model = crop.loaded.model
    people = found.arrays['keypoints']
    with torch.no_grad():
        for cycle, person in enumerate(people):
            feats = crop.run_cycles()._replace(deployed=cycle)
            (instance,) = model.head.predict(feats, [crop.sample], test_cfg={})
            assert isinstance(instance, InstanceData)
            np.testing.assert_allclose(person[:, :2], instance.keypoints[0], atol=1e-5)
    moved = np.hypot(*(people[1] - people[0])[:, :2].T)
    np.testing.assert_allclose(found.arrays['moved'][0], moved, atol=1e-5)
    assert ('heatmaps' in found.arrays) == (name != 'reg')
    row = found.table[3]
    assert row['joint'] == 'left_ear' and row['moved_1_2'] == pytest.approx(moved[3]) and row['x1'] == people[0, 3, 0]
    assert f'at most {moved.max():.2f} ({crop.loaded.joints[int(moved.argmax())]})' in found.summary


def test_a_classifiers_cycles(crop_of: Callable) -> None:
    crop = crop_of('deit')
    found = compare_cycles(crop)
    with torch.no_grad():
        deployed = crop.loaded.model(crop.inputs).softmax(dim=-1)[0]
    np.testing.assert_allclose(found.arrays['probabilities'][0], deployed, atol=1e-6)
    assert found.arrays['probabilities'].shape == (2, 8) and 'keypoints' not in found.arrays
    labels = [text.get_text() for text in found.figure.axes[0].get_yticklabels()]
    assert labels[0] == f'class {int(deployed.argmax())}' and len(labels) == 5


def test_bad_input_is_named(crop_of: Callable) -> None:
    with pytest.raises(ConfigError, match=r'^tokenpose-tiny.* has one cycle, so there is nothing to compare'):
        compare_cycles(crop_of('mpii'))
    with pytest.raises(ConfigError, match='has no tokens to look at'):
        compare_cycles(crop_of('ikd'))
