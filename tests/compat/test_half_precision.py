"""MMPose's arrays of half precision."""

import numpy as np
import pytest
import torch
from mmpose.models.heads import base_head
from mmpose.utils import tensor_utils

from sdpose.compat import half_precision


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_becomes_float32_wherever_it_is_converted(dtype):
    value = torch.tensor([[1.5, -3.25]], dtype=dtype)
    for convert in (tensor_utils.to_numpy, base_head.to_numpy):
        assert convert(value).dtype == np.float32 and convert(value).tolist() == [[1.5, -3.25]]
        assert [each.dtype for each in convert([value, value])] == [np.float32] * 2
        assert convert([value, value], unzip=True)[0][0].dtype == np.float32
        assert convert(value, return_device=True)[1] == value.device


def test_other_values_stay_as_they_are():
    array = np.zeros(2, np.float16)
    assert tensor_utils.to_numpy(array) is array
    assert tensor_utils.to_numpy(torch.zeros(2, dtype=torch.int64)).dtype == np.int64
    assert tensor_utils.to_numpy(torch.zeros(2, dtype=torch.float64)).dtype == np.float64


def test_applying_it_again_changes_nothing():
    before = tensor_utils.to_numpy
    half_precision.decode_half_precision()
    assert tensor_utils.to_numpy is before
