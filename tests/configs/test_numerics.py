"""Every method with values that are no numbers, and in bfloat16: one step and one prediction of each tiny config."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from tasks import give_untrained_teacher, task_of
from torch import nn

from sdpose.config.load import load_config
from sdpose.engine.hooks import FiniteLossHook
from sdpose.errors import NonFiniteError

TINY = sorted((Path(__file__).parents[2] / 'configs/quick_start').glob('*.py'))


@pytest.fixture(params=TINY, ids=lambda path: path.stem)
def config(request):
    init_default_scope('mmpose')
    torch.manual_seed(0)
    return load_config(request.param)


def build(config) -> nn.Module:
    model = MODELS.build(config.model)
    give_untrained_teacher(model)
    return model


def train_a_step(model: nn.Module, data: dict) -> dict:
    """A step of training, and what the hooks of the runner do behind it."""
    hooks = [LoggerHook(interval=1)]
    runner = SimpleNamespace(message_hub=MessageHub('test_numerics'), iter=0, epoch=0, hooks=hooks)
    outputs = model.train().train_step(data, OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.0)))
    RuntimeInfoHook().after_train_iter(runner, 0, outputs=outputs)
    FiniteLossHook().after_train_iter(runner, 0, outputs=outputs)
    return outputs


def fill(part: nn.Module, value: float) -> None:
    for parameter in part.parameters():
        parameter.data.fill_(value)


@pytest.mark.parametrize('value', [math.nan, math.inf])
@pytest.mark.parametrize('part', ['head', 'features'])
def test_broken_weights_end_in_the_name_of_a_loss(config, part, value):
    model = build(config)
    data = task_of(config).inputs(config, 2)
    fill(model.head if part == 'head' else getattr(model, 'backbone', None) or model.neck, value)
    with pytest.raises(NonFiniteError, match='^training stopped: loss_[a-z]+(_cycle1)? = (nan|-?inf)[^\n]*$'):
        train_a_step(model, data)


def test_a_broken_image_ends_in_the_name_of_a_loss(config):
    data = task_of(config).inputs(config, 2)
    data['inputs'] = [image.float() for image in data['inputs']]
    data['inputs'][0].fill_(math.nan)
    with pytest.raises(NonFiniteError, match='^training stopped: loss_'):
        train_a_step(build(config), data)


def test_bfloat16_trains_and_predicts(config):
    model, task = build(config), task_of(config)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        outputs = train_a_step(model, task.inputs(config, 4))
        assert outputs['loss'] > 0 and task.accuracy in outputs
        with torch.no_grad():
            for sample in model.eval().test_step(task.inputs(config, 2)):
                if task.accuracy == 'acc_pose':
                    task.check(config, sample)
                else:
                    assert torch.isfinite(sample.pred_score).all()


def test_flow_of_a_likelihood_is_the_same_without_validation():
    flow = MODELS.build(dict(type='RLELoss')).flow_model
    places = torch.tensor([[0.0, 0.0], [1.0, -2.0], [math.nan, 0.0]])
    latent, log_det = flow.backward_p(places)
    # The density of two independent standard normals.
    expected = -latent.square().sum(1) / 2 - math.log(2 * math.pi) + log_det
    found = flow.log_prob(places)
    torch.testing.assert_close(found[:2], expected[:2])
    assert found[2].isnan()
