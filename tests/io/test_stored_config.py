"""A config inside a checkpoint is data: read as MMEngine writes it, and never run."""

import warnings
from pathlib import Path

import hostile_files
import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import CheckpointLoader, save_checkpoint

from sdpose.config.find import config_dir
from sdpose.errors import ConfigError
from sdpose.io.stored_config import parse_config, source_of, stored_config

SHIPPED = sorted(file for file in config_dir().rglob('*.py') if '_base_' not in file.parts)


def test_the_text_of_every_shipped_config_is_read_as_it_is_run():
    texts = {Config.fromfile(file).pretty_text for file in SHIPPED[::9]}
    assert len(texts) > 5
    for text in texts:
        assert parse_config(text, 'a.pth')._cfg_dict == Config.fromstring(text, '.py')._cfg_dict


def test_values():
    text = (
        "a = 1\nb = -2.5\nc = [1, (2, ), {3}]\nd = dict(e=None, f='x' 'y')\ng = {'h i': True, 2: -1j}\n"
        'i = dict({1: 2}, j=3)\nk = list([1])\nl = tuple([1])\nm = dict()\n'
    )
    parsed = parse_config(text, 'a.pth')
    assert parsed._cfg_dict.to_dict() == dict(
        a=1,
        b=-2.5,
        c=[1, (2,), {3}],
        d=dict(e=None, f='xy'),
        g={'h i': True, 2: -1j},
        i={1: 2, 'j': 3},
        k=[1],
        l=(1,),
        m={},
    )
    assert parsed.text == text


@pytest.mark.parametrize(
    'text, reason',
    [
        ('import os', 'line 1 is no assignment'),
        ('a = 1\nprint(1)', 'line 2 is no assignment'),
        ('a = open("x")', 'has a Call'),
        ('a = dict(b=open("x"))', 'has a Call'),
        ('a = dict.fromkeys([1])', 'has a Call'),
        ('a = __import__("os").system("x")', 'has a Call'),
        ('a = 2 ** 9', 'has a BinOp'),
        ('a = [x for x in (1, )]', 'has a ListComp'),
        ('a = (lambda: 1)', 'has a Lambda'),
        ('a = f"{1}"', 'has a JoinedStr'),
        ('a = b', 'has a Name'),
        ('a.b = 1', 'no assignment'),
        ('a, b = 1, 2', 'no assignment'),
        ('a = dict(**{"b": 1})', 'has a Call'),
        ('a: int = 1', 'no assignment'),
        ('if True:\n    a = 1', 'no assignment'),
        ('_base_ = "other.py"', 'it has base files'),
        ('filename = "x"', 'reserved'),
        ('a = {[]: 1}', 'unhashable'),
        ('a = (', 'was never closed'),
        ('a = ' + '-' * 100_000 + '1', ''),
        ('a = ' + '(' * 10_000, ''),
        ('a = "' + 'x' * 2**22 + '"', 'longer than any config'),
        ('model = dict(type="os.system", command="x")', "type='os.system' is none of the registered classes"),
        ('model = dict(a=[dict(type="antigravity")])', "type='antigravity' is none"),
        ('model = dict(type="mmengine.dump", obj="x", file="y")', 'is none of'),
        ('model = dict(type="mmengine.config.Config.fromstring", cfg_str="import os")', 'is none of'),
        ('test_dataloader = dict(collate_fn="os.system")', "collate_fn='os.system' is none"),
        ('model = dict(_scope_="json", type="ResNet")', "_scope_='json' is none"),
    ],
)
def test_what_is_more_than_data_is_refused(text: str, reason: str):
    with pytest.raises(ConfigError) as caught, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        parse_config(text, 'a.pth')
    message = str(caught.value)
    assert message.startswith('the config inside a.pth is more than plain data (') and reason in message
    assert "MMPoseInferencer(pose2d=CONFIG, pose2d_weights='a.pth')" in message and '\n' not in message


@pytest.mark.parametrize(
    'kind', ['ResNet', 'mmpose.ResNet', 'mmpose.models.backbones.resnet.ResNet', 'Adam', 'NotThere']
)
def test_registered_classes_pass_and_unknown_ones_cannot_be_imported(kind: str):
    assert parse_config(f'model = dict(type={kind!r})', 'a.pth').model.type == kind


def test_only_the_text_of_a_checkpoint_is_treated_like_that(tmp_path: Path):
    text = 'value = 3 + 4\n'
    assert Config.fromstring(text, '.py').value == 7 and source_of(text) is None
    torch.save(dict(state_dict={'w': torch.ones(1)}, meta=dict(cfg=text)), tmp_path / 'a.pth')
    loaded = CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert source_of(text) == str(tmp_path / 'a.pth')
    with pytest.raises(ConfigError, match=r'a\.pth is more than plain data \(line 1 has a BinOp\)'):
        Config.fromstring(loaded['meta']['cfg'], '.py')
    with pytest.raises(ConfigError, match=r'a\.pth is more than plain data'):
        stored_config(loaded, str(tmp_path / 'a.pth'))
    assert Config.fromstring('value = 3 + 5\n', '.py').value == 8


def test_the_messages_come_before_the_meta_and_none_is_said():
    hub = dict(runtime_info=dict(cfg='a = 1\n'))
    assert stored_config(dict(message_hub=hub, meta=dict(cfg='a = 2\n')), 'a.pth').a == 1
    assert stored_config(dict(meta=dict(cfg='a = 2\n')), 'a.pth').a == 2
    with pytest.raises(ConfigError, match='a.pth carries no config: name one'):
        stored_config(dict(meta={}), 'a.pth')


@pytest.mark.parametrize('name', [name for name in hostile_files.HOSTILE if name.startswith('config_')])
def test_an_inferencer_runs_nothing(tmp_path: Path, name: str):
    from mmpose.apis import Pose2DInferencer  # which needs mmdet, or sdpose before it

    file = hostile_files.write(name, tmp_path)
    with pytest.raises(ConfigError, match=f'{name}.pth is more than plain data'):
        Pose2DInferencer(None, weights=str(file), device='cpu')
    assert not (tmp_path / 'ran').exists()


def test_an_inferencer_still_takes_the_config_of_an_honest_file(tmp_path: Path):
    from mmpose.apis import Pose2DInferencer, init_model

    model = init_model(config_dir() / 'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py', device='cpu')
    text = Config.fromfile(config_dir() / 'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py').pretty_text
    meta = dict(cfg=text, dataset_meta=model.dataset_meta)
    save_checkpoint(dict(state_dict=model.state_dict(), meta=meta), str(tmp_path / 'a.pth'))
    inferencer = Pose2DInferencer(None, weights=str(tmp_path / 'a.pth'), device='cpu', det_model='whole_image')
    own = inferencer.model.state_dict()
    assert all(torch.equal(value, own[key]) for key, value in model.state_dict().items())
