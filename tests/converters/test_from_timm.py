"""A file of timm becomes a checkpoint that fills a config's model exactly."""

import resource

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from timm_layout import to_timm

from sdpose.config.load import load_config
from sdpose.converters.from_timm import convert_timm_file
from sdpose.errors import MismatchError, NonFiniteError, UserError

MINI = 'configs/quick_start/sdpose-deit-mini_1xb64-30e_shapes-40x40.py'


@pytest.fixture(scope='module')
def theirs():
    """A small model's weights under timm's names."""
    init_default_scope('mmpose')
    return to_timm(MODELS.build(load_config(MINI).model).state_dict())


@pytest.mark.parametrize('wrap', [dict, lambda weights: dict(model=weights), lambda weights: dict(state_dict=weights)])
def test_files_of_timm_and_of_the_release(theirs, tmp_path, wrap):
    torch.save(wrap(theirs), tmp_path / 'a.pth')
    count = convert_timm_file(str(tmp_path / 'a.pth'), str(tmp_path / 'made/b.pth'), MINI)
    checkpoint = torch.load(tmp_path / 'made/b.pth', weights_only=True)
    assert count == len(theirs) == len(checkpoint['state_dict'])
    assert checkpoint['meta']['converted_from'] == 'a.pth'
    model = MODELS.build(load_config(MINI).model)
    model.load_state_dict(checkpoint['state_dict'], strict=True)
    assert torch.equal(model.neck.tokenizer.query, theirs['cls_token'])


def test_safetensors(theirs, tmp_path):
    safetensors = pytest.importorskip('safetensors.torch')
    safetensors.save_file({key: value.contiguous() for key, value in theirs.items()}, tmp_path / 'a.safetensors')
    assert convert_timm_file(str(tmp_path / 'a.safetensors'), str(tmp_path / 'b.pth'), MINI) == len(theirs)
    (tmp_path / 'c.safetensors').write_bytes(b'broken')
    with pytest.raises(MismatchError, match='c.safetensors is not a safetensors file'):
        convert_timm_file(str(tmp_path / 'c.safetensors'), str(tmp_path / 'b.pth'), MINI)


def test_what_is_refused(theirs, tmp_path):
    source, target = str(tmp_path / 'a.pth'), str(tmp_path / 'b.pth')
    with pytest.raises(UserError, match='a.pth does not exist'):
        convert_timm_file(source, target, MINI)
    for weights, message in (
        (dict(theirs, dist_token=torch.zeros(1)), r'a.pth: these are not the weights .*; unknown: dist_token$'),
        ({key: value for key, value in theirs.items() if key != 'norm.bias'}, 'missing: norm.bias'),
        (dict(theirs, pos_embed=torch.zeros(1, 5, 64)), '(?s)1 of another shape.*position.*Name the config'),
        (dict(theirs, cls_token=theirs['cls_token'] * float('nan')), 'numbers in 1 of .*first: cls_token'),
    ):
        torch.save(weights, source)
        with pytest.raises((MismatchError, NonFiniteError), match=message):
            convert_timm_file(source, target, MINI)
    with pytest.raises(UserError, match='is the checkpoint itself'):
        convert_timm_file(source, source, MINI)
    with pytest.raises(UserError, match='ending in .pth'):
        convert_timm_file(source, str(tmp_path / 'b.bin'), MINI)
    assert not (tmp_path / 'b.pth').exists()


def test_a_disk_that_is_full(theirs, tmp_path):
    """A file of the size of a model is the first that finds no room; torch's own writer would hide the reason."""
    torch.save(theirs, tmp_path / 'a.pth')
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OSError, match='File too large') as caught:
            convert_timm_file(str(tmp_path / 'a.pth'), str(tmp_path / 'b.pth'), MINI)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(tmp_path / 'b.pth')
    assert [path.name for path in tmp_path.iterdir()] == ['a.pth']
