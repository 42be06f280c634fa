"""The mean of a flip test's two views is MMPose's, bit by bit."""

import pytest
import torch
from mmpose.models.utils.tta import flip_heatmaps

from sdpose.models.heads.mirror import mean_with_mirror


@pytest.mark.parametrize('shift', [False, True])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('shape', [(3, 5, 8, 6), (1, 5, 3, 7), (2, 1, 1, 1), (0, 5, 8, 6)])
def test_it_is_that_of_mmpose(shape: tuple, dtype: torch.dtype, shift: bool) -> None:
    torch.manual_seed(0)
    order = [0, 2, 1, 4, 3][: shape[1]]
    maps, mirrored = torch.randn(2, *shape, dtype=dtype)
    maps[..., -1], mirrored[:1, :1, :1, :1] = 1e30, float('inf')
    for one, other in ((maps, mirrored), (maps.mT.contiguous().mT, mirrored.mT.contiguous().mT)):
        kept = one.clone(), other.clone()
        found = mean_with_mirror(one, other, order, shift)
        expected = (maps + flip_heatmaps(mirrored.clone(), order, shift_heatmap=shift)) * 0.5
        assert found.dtype == dtype and torch.equal(found, expected)
        assert torch.equal(one, kept[0]) and torch.equal(other, kept[1])


def test_joints_are_named_once() -> None:
    maps = torch.zeros(1, 3, 4, 4)
    for wrong in ([0, 1], [0, 1, 3], [0, 1, 1]):
        with pytest.raises(ValueError, match='flip_indices must name each of 3 joints once'):
            mean_with_mirror(maps, maps, wrong, True)
