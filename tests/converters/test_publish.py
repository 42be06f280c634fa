"""Publishing: what is taken out, what the file says about itself, and that nothing is written unless it is the same."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import EMAHook
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn

from sdpose.converters import publish, publishing
from sdpose.errors import MismatchError, NonFiniteError, UserError
from sdpose.io import checkpoint as checkpoints
from sdpose.version import __version__

QUICK_START = 'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
LIKELIHOOD = dict(
    _delete_=True,
    type='TokenRegHead',
    in_channels=64,
    mode='rle',
    hidden=64,
    decoder=dict(type='RegressionLabel', input_size=(48, 64)),
)


@pytest.fixture
def trained(repo_root: Path, tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """Writes a config and a checkpoint as training saves it; gives ``config``, ``file``, ``model`` and ``content``."""

    def write(name: str = 'own', **model: dict) -> SimpleNamespace:
        config = tmp_path / f'{name}.py'
        config.write_text(f'_base_ = "{repo_root}/configs/{QUICK_START}.py"\nmodel = {model!r}\n')
        init_default_scope('mmpose')
        torch.manual_seed(3)
        built = MODELS.build(Config.fromfile(config).model).eval()
        content = dict(
            state_dict=built.state_dict(),
            meta=dict(epoch=30, iter=900, dataset_meta=dict(x=1), seed=5),
            optimizer=dict(state={}),
            param_schedulers=[{}],
            message_hub=dict(x=1),
        )
        file = tmp_path / f'{name}_30.pth'
        torch.save(content, file)
        return SimpleNamespace(config=str(config), file=str(file), model=built, content=content)

    return write


def plain_types(value) -> set[type]:
    """Every type inside a checkpoint."""
    if isinstance(value, dict):
        return {kind for item in value.items() for kind in plain_types(list(item))}
    if isinstance(value, (list, tuple)):
        return {kind for item in value for kind in plain_types(item)}
    return {type(value)}


def test_what_is_published(trained: Callable, tmp_path: Path):
    own = trained()
    done = publish(own.config, own.file, f'{tmp_path}/out/')
    content = done.file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert done.file == tmp_path / f'out/own-{digest[:8]}.pth'
    assert done.difference == 0 and done.stripped == []
    assert done.dropped == ['message_hub', 'optimizer', 'param_schedulers']
    written = torch.load(done.file, weights_only=True)
    assert written.keys() == {'meta', 'state_dict'}
    assert plain_types(written) == {str, int, torch.Tensor}
    meta = written['meta']
    assert meta['training'] == dict(epoch=30, iter=900) and meta['sdpose_version'] == __version__
    assert meta['config'] == 'own.py' and meta['dataset'] == 'ArrayCocoDataset' and meta['num_keypoints'] == 17
    assert Config.fromstring(meta['cfg'], '.py').model == Config.fromfile(own.config).model
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00', meta['time'])
    for key, value in own.model.state_dict().items():
        assert torch.equal(written['state_dict'].pop(key), value)
    assert not written['state_dict']


def test_names(trained: Callable, tmp_path: Path):
    own = trained()
    (tmp_path / 'there').mkdir()
    for out, beginning in (('there', 'there/own'), ('new/', 'new/own'), ('new/best', 'new/best'), ('b.pth', 'b')):
        out = f'{tmp_path}/{out}'
        file = publish(own.config, own.file, out).file
        assert re.fullmatch(re.escape(f'{tmp_path}/{beginning}') + r'-[0-9a-f]{8}\.pth', str(file))


def test_a_window_on_a_larger_tensor_is_saved_alone(trained: Callable, tmp_path: Path):
    own = trained()
    weight = own.model.backbone.conv1.weight
    large = torch.cat([weight.detach()[None]] * 5000)
    own.content['state_dict']['backbone.conv1.weight'] = large[7]
    torch.save(own.content, own.file)
    done = publish(own.config, own.file, f'{tmp_path}/out/')
    assert Path(own.file).stat().st_size > 8e6 > 1e6 > done.file.stat().st_size


def test_the_averaged_weights_are_published(trained: Callable, tmp_path: Path):
    """MMEngine's hook itself averages and saves."""
    own = trained()
    each_step = SimpleNamespace(should_update=lambda: True)
    runner = SimpleNamespace(model=own.model, iter=0, epoch=0, train_loop=SimpleNamespace(), optim_wrapper=each_step)
    hook = EMAHook(momentum=0.25)
    hook.before_run(runner)
    before = {key: value.clone() for key, value in own.model.named_parameters()}
    with torch.no_grad():
        hook.after_train_iter(runner, 0)
        for parameter in own.model.parameters():
            parameter.add_(1)
        hook.after_train_iter(runner, 1)
    saved = dict(own.content, state_dict=own.model.state_dict())
    hook.before_save_checkpoint(runner, saved)
    torch.save(saved, own.file)
    done = publish(own.config, own.file, f'{tmp_path}/out/')
    assert 'ema_state_dict' in done.dropped
    written = torch.load(done.file, weights_only=True)['state_dict']
    for key, value in before.items():
        torch.testing.assert_close(written[key], value + 0.25, msg=key)


def test_the_flow_is_taken_out_and_the_rest_predicts_the_same(trained: Callable, tmp_path: Path):
    own = trained(head=LIKELIHOOD)
    done = publish(own.config, own.file, f'{tmp_path}/out/')
    assert done.difference == 0 and len(done.stripped) == 75
    assert all(key.startswith('head.loss_module.flow_model.') for key in done.stripped)
    written = torch.load(done.file, weights_only=True)
    assert written['meta']['stripped'] == done.stripped
    assert set(own.model.state_dict()) - set(written['state_dict']) == set(done.stripped)
    again = publish(own.config, str(done.file), f'{tmp_path}/again/')
    assert again.stripped == done.stripped and again.difference == 0 and again.tensors == done.tensors
    assert torch.load(again.file, weights_only=True)['meta']['training'] == dict(epoch=30, iter=900)


class Adapter(nn.Module):
    """A distiller's own layer, in training only."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def check(self, student):
        pass


def test_a_distillers_own_weights_are_taken_out(trained: Callable, tmp_path: Path):
    """Whether the config to publish with has the distiller or not."""
    own = trained(distiller=None)
    own.content['state_dict']['distiller.adapters.scale'] = torch.ones(3)
    torch.save(own.content, own.file)
    done = publish(own.config, own.file, f'{tmp_path}/out/')
    assert 'distiller.adapters.scale' not in torch.load(done.file, weights_only=True)['state_dict']
    if MODELS.get('_Adapter') is None:
        MODELS.register_module(name='_Adapter', module=Adapter)
    other = trained('adapted', distiller=dict(_delete_=True, type='_Adapter'))
    assert publish(other.config, other.file, f'{tmp_path}/out/').stripped == ['distiller.scale']


def test_metrics(trained: Callable, tmp_path: Path):
    own, record = trained(), tmp_path / 'metrics.json'
    content = dict(
        metrics={'coco/AP': 0.5, 'coco/AR': 1},
        boxes='person boxes: annotated',
        config='own.py',
        checkpoint='elsewhere/own_30.pth',
    )
    record.write_text(json.dumps(content))
    done = publish(own.config, own.file, f'{tmp_path}/out/', str(record))
    meta = torch.load(done.file, weights_only=True)['meta']
    assert meta['metrics'] == {'coco/AP': 0.5, 'coco/AR': 1.0} and meta['boxes'] == 'person boxes: annotated'
    for wrong, message in (
        (json.dumps(dict(content, checkpoint='own_20.pth')), r'was measured on own_20.pth, not on own_30.pth'),
        (json.dumps(dict(content, metrics={'coco/AP': 'good'})), r'is not the metrics.json .*could not convert'),
        (json.dumps(content['metrics']), r"is not the metrics.json that tools/test.py writes .*KeyError: 'metrics'"),
        ('[1]', r'is not the metrics.json'),
        ('nonsense', r'is not the metrics.json .*JSONDecodeError'),
    ):
        record.write_text(wrong)
        with pytest.raises(UserError, match=message):
            publish(own.config, own.file, f'{tmp_path}/no/', str(record))
    os.mkfifo(tmp_path / 'pipe.json')
    with pytest.raises(UserError, match='pipe.json is no regular file'):
        publish(own.config, own.file, f'{tmp_path}/no/', f'{tmp_path}/pipe.json')
    with pytest.raises(UserError, match='none.json: No such file'):
        publish(own.config, own.file, f'{tmp_path}/no/', f'{tmp_path}/none.json')
    assert not (tmp_path / 'no').exists()


def test_a_part_that_predicting_needs_is_noticed(trained: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """If the list of training-only parts were wrong, the outputs would differ."""
    own = trained()
    wrong = ('head.mlp.1.',)
    monkeypatch.setattr(checkpoints, 'TRAINING_ONLY', wrong)
    monkeypatch.setattr(publishing, 'TRAINING_ONLY', wrong)
    with pytest.raises(
        MismatchError,
        match=r'own_30.pth: the predictions before and after differ by [\d.]+e[+-]\d+, '
        r'more than 1e-06.*nothing was written',
    ):
        publish(own.config, own.file, f'{tmp_path}/out/')
    assert sorted(file.name for file in tmp_path.iterdir()) == ['own.py', 'own_30.pth']


def test_refusals_leave_nothing(trained: Callable, tmp_path: Path):
    own = trained()
    out = f'{tmp_path}/out/'
    with pytest.raises(UserError, match='no_30.pth does not exist'):
        publish(own.config, f'{tmp_path}/no_30.pth', out)
    state = dict(own.content['state_dict'])
    del state['backbone.conv2.weight']
    torch.save(dict(own.content, state_dict=state), own.file)
    with pytest.raises(MismatchError, match=r'1 keys missing(.|\n)*backbone.conv2.weight(.|\n)*was trained with'):
        publish(own.config, own.file, out)
    state['backbone.conv2.weight'] = torch.full((16, 16, 3, 3), float('nan'))
    torch.save(dict(own.content, state_dict=state), own.file)
    with pytest.raises(NonFiniteError, match='own_30.pth holds NaN or infinite .*backbone.conv2.weight'):
        publish(own.config, own.file, out)
    assert not Path(out).exists()
    (tmp_path / 'file').write_text('')
    torch.save(own.content, own.file)
    with pytest.raises(UserError, match='cannot be written'):
        publish(own.config, own.file, f'{tmp_path}/file/below')


def test_overrides_belong_to_the_config(trained: Callable, tmp_path: Path):
    own = trained(neck=dict(depth=2))
    base = trained('base')
    with pytest.raises(MismatchError, match='12 unexpected|11 unexpected'):
        publish(base.config, own.file, f'{tmp_path}/out/')
    done = publish(base.config, own.file, f'{tmp_path}/out/', cfg_options={'model.neck.depth': 2})
    text = torch.load(done.file, weights_only=True)['meta']['cfg']
    assert Config.fromstring(text, '.py').model.neck.depth == 2


def test_a_published_sdpose_is_a_tokenpose(trained: Callable, tmp_path: Path):
    own = trained()
    done = publish(own.config, own.file, f'{tmp_path}/out/')
    plain = trained('plain', neck=dict(num_cycles=1), distiller=None)
    images = torch.randn(2, 3, 64, 48)
    plain.model.load_state_dict(torch.load(done.file, weights_only=True)['state_dict'], strict=True)
    assert torch.equal(plain.model(images, None), own.model(images, None))
    # Published with the TokenPose config itself it is the same weights under that name.
    other = publish(plain.config, own.file, f'{tmp_path}/out/')
    assert other.file.name.startswith('plain-') and other.tensors == done.tensors


@pytest.mark.parametrize('model', [{}, dict(head=LIKELIHOOD)], ids=['heatmap', 'likelihood'])
def test_a_published_teacher_teaches(trained: Callable, tmp_path: Path, model: dict):
    own = trained(distiller=None, **model)
    done = publish(own.config, own.file, f'{tmp_path}/out/')
    terms = dict(loss_query=dict(type='TokenMSELoss', on='query'))
    distiller = MODELS.build(dict(type='TeacherDistiller', teacher=own.config, checkpoint=str(done.file), terms=terms))
    distiller.prepare(own.model)
    teacher = distiller.teacher.model
    for key in torch.load(done.file, weights_only=True)['state_dict']:
        assert torch.equal(teacher.state_dict()[key], own.model.state_dict()[key])
