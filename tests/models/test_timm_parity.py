"""The token transformer with a classification head is the vision transformer of timm.

The fixture holds a two-layer ``timm.models.vision_transformer.VisionTransformer`` (timm 1.0.31; sizes under
``config_json``), its weights, an input, its tokens before the final norm, its logits, and the logits after its blocks
have run over their own output once more.
"""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from timm_layout import to_timm
from torch.testing import assert_close

from sdpose.config.load import load_config
from sdpose.converters import vit_from_timm
from sdpose.errors import MismatchError

pytestmark = pytest.mark.parity

DEIT = 'configs/classification/imagenet/deit-tiny_8xb128-300e_imagenet-224x224.py'


@pytest.fixture(scope='module')
def fixture(load_fixture):
    return load_fixture('timm_vit_2layers')


def build(fixture, **neck):
    sizes = fixture.config
    (height, width), dim = sizes['img_size'], sizes['embed_dim']
    model = MODELS.build(
        dict(
            type='DistillClassifier',
            neck=dict(
                type='MultiCycledTransformer',
                in_channels=3,
                feature_size=(width, height),
                patch_size=(sizes['patch_size'],) * 2,
                num_queries=1,
                dim=dim,
                depth=sizes['depth'],
                num_heads=sizes['num_heads'],
                mlp_ratio=4,
                position='learnable',
                qkv_bias=True,
                norm_eps=1e-6,
                **neck,
            ),
            head=dict(type='TokenClsHead', in_channels=dim, num_classes=sizes['num_classes'], norm_eps=1e-6),
        )
    )
    model.load_state_dict(vit_from_timm(fixture.below('w/')), strict=True)
    return model.eval()


def test_tokens_and_logits_are_timms(fixture):
    model = build(fixture)
    tokens = model.extract_feat(fixture['image'])
    assert_close(tokens.output.sequence, fixture['tokens1'], atol=1e-5, rtol=1e-5)
    assert_close(model(fixture['image']), fixture['cycle1'], atol=1e-5, rtol=1e-5)


def test_a_second_cycle_is_the_blocks_over_their_own_output(fixture):
    model = build(fixture, num_cycles=2, test_cycles=2)
    assert_close(model(fixture['image']), fixture['cycle2'], atol=2e-5, rtol=1e-5)
    predictions = model.head.cycle_outputs(model.train().extract_feat(fixture['image']))
    assert_close(predictions[0], fixture['cycle1'], atol=1e-5, rtol=1e-5)
    assert_close(predictions[1], fixture['cycle2'], atol=2e-5, rtol=1e-5)


def test_the_default_eps_would_be_noticed(fixture):
    model = build(fixture)
    model.head.norm.eps = 1e-2
    assert (model(fixture['image']) - fixture['cycle1']).abs().max() > 1e-4


def test_the_way_back(fixture):
    weights = fixture.below('w/')
    back = to_timm(build(fixture).state_dict())
    assert back.keys() == weights.keys() and all(torch.equal(back[key], weights[key]) for key in weights)


def test_missing_and_unknown_keys_are_named(fixture):
    weights = fixture.below('w/')
    weights['dist_token'] = weights.pop('blocks.1.norm2.bias')
    with pytest.raises(MismatchError, match=r'missing: blocks.1.norm2.bias; unknown: dist_token$'):
        vit_from_timm(weights)
    with pytest.raises(MismatchError, match=r'unknown: x0, x1, x2, x3, x4, x5, x6, x7 and 2 more$'):
        vit_from_timm({f'x{number}': torch.zeros(1) for number in range(10)})


def test_deit_tiny_equals_timms_with_copied_weights():
    timm = pytest.importorskip('timm')
    init_default_scope('mmpose')
    torch.manual_seed(0)
    theirs = timm.create_model('deit_tiny_patch16_224').eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    ours = MODELS.build(load_config(DEIT).model).eval()
    ours.load_state_dict(vit_from_timm(theirs.state_dict()), strict=True)
    image = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 224, 224))).float()
    with torch.no_grad():
        expected = theirs(image)
        assert_close(ours(image), expected, atol=1e-5, rtol=1e-5)
    assert expected.std() > 0.05  # the logits depend on something


def test_the_fixture_is_timms(fixture):
    pytest.importorskip('timm')
    from timm.models.vision_transformer import VisionTransformer

    model = VisionTransformer(**fixture.config).eval()
    model.load_state_dict(fixture.below('w/'))
    assert_close(model(fixture['image']), fixture['cycle1'], atol=1e-5, rtol=1e-5)
