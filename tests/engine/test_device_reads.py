"""No step of a training waits for its device but those that are logged."""

from functools import cache
from pathlib import Path

import pytest
import torch
from device_reads import reads
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.registry import MODELS
from tasks import give_untrained_teacher, task_of

from sdpose.compat.log_scalars import read_values
from sdpose.config.load import load_config

CONFIGS = Path(__file__).parents[2] / 'configs'
QUICK = CONFIGS / 'quick_start'
# Every fifth step is logged, and the last one.
STEPS, INTERVAL = 12, 5


MODELS_READ = (
    'sdpose-tiny ppt-tiny sdpose-reg-tiny sdpose-simcc-tiny distilpose-tiny ikd-tiny sdpose-deit-mini dppt-tiny '
    'evit-tiny simple-baseline-tiny rle-tiny'.split()
)
CLIP = dict(max_norm=1.0)


def leaves():
    return sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)


@pytest.mark.parametrize('name, clip', [*((name, None) for name in MODELS_READ), ('sdpose-tiny', CLIP)])
def test_only_the_steps_of_the_logger_read(name, clip, tmp_path, monkeypatch):
    found = []

    def run_iter(self, *args):
        with reads() as count:
            original(self, *args)
        found.append(count)

    original = EpochBasedTrainLoop.run_iter
    monkeypatch.setattr(EpochBasedTrainLoop, 'run_iter', run_iter)
    train(name, tmp_path, clip)
    logged = {INTERVAL - 1, 2 * INTERVAL - 1, STEPS - 1}
    # In its first step RLE factors its prior, once.
    assert {number: dict(count) for number, count in enumerate(found) if number not in {0, *logged} and count} == {}
    assert found[0].keys() <= {'cholesky'}
    assert [found[number]['tolist'] > 0 for number in sorted(logged)] == [True] * 3
    history = MessageHub.get_current_instance().log_scalars
    assert len(history['train/loss'].data[0]) == STEPS and ('train/grad_norm' in history) == bool(clip)


@pytest.mark.parametrize('path', leaves(), ids=lambda path: path.stem)
def test_every_config_has_the_parts_of_one_of_those(path):
    """A model, a preprocessor and a head; whatever else reads in a step would do so in each of them."""
    assert parts(path) in {parts(quick_start(name)) for name in MODELS_READ}


@cache
def parts(path):
    model = load_config(path).model
    return model.type, model.data_preprocessor.type, model.head.type


def quick_start(name):
    return sorted(QUICK.glob(f'{name}*.py'))[-1]


class Given(Hook):
    """Has every loss written down by the way that MMEngine goes."""

    def __init__(self):
        self.losses = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs['loss'].item())


def test_the_history_is_the_one_of_mmengine(tmp_path):
    given = Given()
    train('sdpose-tiny', tmp_path, None, [given])
    history, counts = MessageHub.get_current_instance().get_scalar('train/loss').data
    assert history.tolist() == given.losses and counts.tolist() == [1] * STEPS


def train(name, folder, clip, hooks=()):
    """Some steps of a quick start on random images."""
    init_default_scope('mmpose')
    cfg = load_config(quick_start(name))
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    give_untrained_teacher(model)
    batch = task_of(cfg).inputs(cfg, 2)
    samples = [dict(inputs=one, data_samples=two) for one, two in zip(batch['inputs'], batch['data_samples'])]
    runner = Runner(
        model,
        str(folder),
        train_dataloader=dict(
            dataset=samples * STEPS,
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='pseudo_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=1e-4), clip_grad=clip),
        default_hooks={**cfg.default_hooks, 'logger': dict(type='LoggerHook', interval=INTERVAL), 'checkpoint': None},
        log_processor=cfg.log_processor,
        custom_hooks=list(hooks),
        default_scope='mmpose',
        experiment_name=f'reads_{folder.name}',
    )
    runner.train()


def test_values_of_any_kind_are_read_by_one_copy():
    values = [1, 2.5, torch.tensor(0.1), torch.tensor([3]), torch.tensor(0.1, dtype=torch.float64), torch.tensor(7.0)]
    with reads() as count:
        found = read_values(values)
    assert found == [1, 2.5, torch.tensor(0.1).item(), 3, 0.1, 7.0] and [type(each) for each in found[:2]] == [
        int,
        float,
    ]
    assert count == {'tolist': 3}  # one for each type of number
    assert read_values([]) == []


def test_a_hub_reads_what_is_asked_for():
    hub = MessageHub('late')
    total = torch.tensor(1.0)
    for _ in range(3):
        hub.update_scalar('train/lr', 0.5)
        hub.update_scalar('train/loss', total)
        total += 1  # what is logged is what it was
        hub.update_scalar('train/time', 2.0)
    with reads() as count:
        assert hub.get_scalar('train/time').current() == 2.0  # as the timer does in every step
    assert count == {}
    assert [*hub.log_scalars] == ['train/lr', 'train/loss', 'train/time']
    assert hub.get_scalar('train/loss').data[0].tolist() == [1.0, 2.0, 3.0]
    hub.update_scalar('train/loss', torch.tensor(5.0), count=2)
    stored = hub.state_dict()['log_scalars']['train/loss']
    assert stored.mean() == 11 / 5 and stored.data[1].dtype.kind == 'i'
    with pytest.raises(KeyError, match='train/other is not found'):
        hub.get_scalar('train/other')


def test_nothing_is_kept_without_end():
    hub = MessageHub('endless')
    with reads() as count:
        for number in range(2100):
            hub.update_scalar('train/loss', torch.tensor(float(number)))
    assert count['tolist'] == 2 and len(hub.__dict__['_sdpose_waiting']['train/loss']) == 100
    assert hub.get_scalar('train/loss').data[0].tolist() == [*map(float, range(2100))]
