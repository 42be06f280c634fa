"""Rows of joints by their names, computed by hand."""

import pytest
import torch

from sdpose.engine.joint_names import match_joints
from sdpose.models.transformers.tokenizer import Tokenizer

_LEARNED = ('nose', 'left_eye', 'right_eye')


def _tokenizer(count: int, position: str = 'sine') -> Tokenizer:
    return Tokenizer(4, (2, 2), (1, 1), count, 4, position)


def _weights(tokenizer: Tokenizer) -> dict[str, torch.Tensor]:
    """Row k of every joint's tensor is filled with k + 1, those behind with 9."""
    weights = dict(tokenizer.state_dict())
    for name in tokenizer.joint_rows:
        rows = torch.full_like(weights[name], 9.0)
        rows[0, :3] = torch.tensor([1.0, 2.0, 3.0])[:, None]
        weights[name] = rows
    return weights


def test_rows_follow_the_names_and_new_ones_are_their_mean() -> None:
    wanted = ('Right Eye', 'tail', 'nose', 'ear')
    matched = match_joints(_tokenizer(4), _weights(_tokenizer(3)), _LEARNED, wanted)
    assert matched is not None
    assert matched.weights['query'][0, :, 0].tolist() == [3, 2, 1, 2]
    assert matched[1:] == (['Right Eye', 'nose'], ['tail', 'ear'], ['left_eye'])


def test_learned_positions_of_joints_move_and_those_of_patches_stay() -> None:
    weights = _weights(_tokenizer(3, 'learnable'))
    matched = match_joints(_tokenizer(2, 'learnable'), weights, _LEARNED, ('right_eye', 'nose'))
    assert matched is not None
    assert matched.weights['position'][0, :, 1].tolist() == [3, 1, 9, 9, 9, 9]
    assert matched.weights['patch_embed.weight'] is weights['patch_embed.weight']


def test_the_same_joints_in_another_order_are_put_in_order() -> None:
    matched = match_joints(_tokenizer(3), _weights(_tokenizer(3)), _LEARNED, ('right_eye', 'nose', 'left_eye'))
    assert matched is not None and matched.weights['query'][0, :, 0].tolist() == [3, 1, 2]


@pytest.mark.parametrize('learned, wanted', [(_LEARNED, _LEARNED), ((), _LEARNED), (_LEARNED, ())])
def test_nothing_is_done_where_nothing_differs_or_is_named(learned: tuple, wanted: tuple) -> None:
    assert match_joints(_tokenizer(3), _weights(_tokenizer(3)), learned, wanted) is None


def test_class_tokens_belong_to_no_joint() -> None:
    weights = dict(_tokenizer(1).state_dict())
    assert match_joints(_tokenizer(1), weights, ('cat', 'dog'), ('dog', 'cow')) is None


def test_without_a_common_name_rows_stay_in_their_order() -> None:
    weights = _weights(_tokenizer(3))
    matched = match_joints(_tokenizer(3), weights, _LEARNED, ('a', 'b', 'c'))
    assert matched is not None and not matched.kept and matched.weights['query'] is weights['query']


def test_other_words_for_a_side_are_known() -> None:
    matched = match_joints(_tokenizer(3), _weights(_tokenizer(3)), _LEARNED, ('eye.R', 'Nose', 'eye.L'))
    assert matched is not None and matched.weights['query'][0, :, 0].tolist() == [3, 1, 2]
