"""A backbone's file fills it, or says what it did not fill."""

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from sdpose.config.load import load_config
from sdpose.errors import ConfigError, MismatchError


@pytest.fixture(scope='module')
def imagenet_file(hrnet_w32, tmp_path_factory):
    """A stand-in for the ImageNet file: the standard width, every number 0.5, a classifier at the end."""
    weights = {
        key: torch.full_like(value, 0.5) if value.is_floating_point() else value
        for key, value in MODELS.build(hrnet_w32(64)).state_dict().items()
    }
    path = tmp_path_factory.mktemp('weights') / 'hrnet_w32.pth'
    torch.save({'state_dict': {**weights, 'classifier.weight': torch.zeros(10, 4)}}, path)
    return str(path)


def filled(config, **init_cfg):
    init_default_scope('mmpose')
    model = MODELS.build(dict(config, init_cfg=dict(type='PretrainedBackbone', **init_cfg)))
    model.init_weights()
    return {key for key, value in model.named_parameters() if bool((value == 0.5).all())}, model


def test_standard_width_is_filled_completely(hrnet_w32, imagenet_file):
    keys, model = filled(hrnet_w32(64), checkpoint=imagenet_file)
    assert keys == {key for key, _ in model.named_parameters()}


def test_released_width_does_not_fit_and_says_so(hrnet_w32, imagenet_file):
    with pytest.raises(MismatchError) as error:
        filled(hrnet_w32(32), checkpoint=imagenet_file)
    message = str(error.value)
    assert 'layer1.0.conv1.weight' in message and '64x64x1x1' in message and '32x64x1x1' in message
    assert 'transition1.0.0.weight' in message and 'allow_mismatch' in message
    assert ' 67 of another shape' in message  # as measured on the released model


def test_released_width_when_allowed(hrnet_w32, imagenet_file):
    keys, model = filled(hrnet_w32(32), checkpoint=imagenet_file, allow_mismatch=('layer1.', 'transition1.'))
    assert 'stage2.0.branches.0.0.conv1.weight' in keys and 'conv1.weight' in keys
    weight = model.layer1[0].conv2.weight  # torch's own: as the released code leaves it
    assert 'layer1.0.conv2.weight' not in keys
    assert weight.std().item() == pytest.approx((3 * 32 * 9) ** -0.5, rel=0.05)


def test_missing_file_is_named(hrnet_w32):
    with pytest.raises(MismatchError, match='nowhere.pth cannot be loaded.*init_cfg=None to start at random'):
        filled(hrnet_w32(64), checkpoint='nowhere.pth')


def test_unreachable_address_says_how_to_go_on(hrnet_w32):
    with pytest.raises(MismatchError, match=r'(?s)http://127.0.0.1:9/w32.pth cannot be loaded.*Put the file on this'):
        filled(hrnet_w32(64), checkpoint='http://127.0.0.1:9/w32.pth')


def test_without_a_file_convolutions_start_as_released(hrnet_w32):
    init_default_scope('mmpose')
    model = MODELS.build(dict(hrnet_w32(32), init_cfg=None))
    model.init_weights()
    assert model.layer1[0].conv2.weight.std().item() == pytest.approx(0.001, rel=0.05)


def test_unnamed_file(hrnet_w32):
    with pytest.raises(ConfigError, match='set model.backbone.init_cfg.checkpoint'):
        filled(hrnet_w32(64), checkpoint=None)


def test_prefix(tmp_path):
    stem = MODELS.build(dict(type='StemNet', stem_channels=4, num_blocks=1))
    path = str(tmp_path / 'teacher.pth')
    torch.save({f'backbone.{key}': torch.full_like(value, 0.5) for key, value in stem.state_dict().items()}, path)
    keys, model = filled(dict(type='StemNet', stem_channels=4, num_blocks=1), checkpoint=path, prefix='backbone')
    assert len(keys) == len(list(model.parameters()))


def test_a_stem_starts_from_hrnet_and_gives_its_first_maps(hrnet_w32, tmp_path):
    """StemNet is the same network as HRNet up to its first stage: 90 tensors of the same names, the same maps."""
    init_default_scope('mmpose')
    hrnet = MODELS.build(hrnet_w32(64))
    hrnet.eval()  # MMPose's returns nothing
    for value in hrnet.state_dict().values():  # the running statistics of a new network hide what is not filled
        if value.is_floating_point():
            value.uniform_(0.1, 0.3)
    torch.save(hrnet.state_dict(), tmp_path / 'hrnet.pth')
    cfg = load_config(
        'configs/sdpose/coco/sdpose-s-v1-recipes_stemnet_8xb64-420e_coco-256x192.py',
        {'model.backbone.init_cfg.checkpoint': str(tmp_path / 'hrnet.pth')},
    )
    stem = MODELS.build(cfg.model.backbone)
    stem.init_weights()
    theirs = hrnet.state_dict()
    assert len(stem.state_dict()) == 90
    assert all(torch.equal(value, theirs[key]) for key, value in stem.state_dict().items())
    image = torch.rand(1, 3, 32, 32)
    x = hrnet.relu(hrnet.norm1(hrnet.conv1(image)))
    expected = hrnet.layer1(hrnet.relu(hrnet.norm2(hrnet.conv2(x))))
    torch.testing.assert_close(stem.eval()(image)[0], expected, rtol=0, atol=0)
