"""Models by name: their figures, and published checkpoints in a local store."""

import copy
import hashlib
from pathlib import Path

import pytest

import sdpose
from sdpose.apis import list_models
from sdpose.errors import CheckpointError, UserError
from sdpose.io.model_store import find_weights, stored_weights

NAME = 'sdpose-s-v1_stemnet_8xb64-300e_coco-256x192'


def put(folder: Path, config: str, content: bytes) -> Path:
    """A file named by its content, as publish_model.py names it."""
    file = folder / f'{config}-{hashlib.sha256(content).hexdigest()[:8]}.pth'
    file.write_bytes(content)
    return file


def test_figures_are_those_of_the_metafiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('SDPOSE_HOME', str(tmp_path))
    file = put(tmp_path, NAME, b'weights')
    (model,) = list_models(NAME)
    assert model == NAME and isinstance(model, str) and (model.data, model.params) == ('COCO', 6620736)
    assert model.results['AP (paper)'] == 72.3 and model.results['AP test-dev (paper)'] == 71.7
    assert model.flops == pytest.approx(2.4e9, rel=0.01) and model.multiply_adds == pytest.approx(2.73e9, rel=0.01)
    assert model.weights == (file,) and copy.deepcopy(model).weights == (file,)
    tiny = sdpose.list_models('*tiny*synthetic-64x48')
    assert len(tiny) > 5 and {(each.params, each.results == {}, each.weights) for each in tiny} == {(None, True, ())}


def test_weights_are_found_by_the_name_of_their_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('SDPOSE_HOME', str(tmp_path / 'store'))
    with pytest.raises(UserError, match=f'store holds no {NAME}-<hash>.pth, and nothing is downloaded'):
        find_weights(NAME)
    (tmp_path / 'store').mkdir()
    file = put(tmp_path / 'store', NAME, b'one')
    put(tmp_path / 'store', 'other', b'one')
    (tmp_path / 'store/epoch_3.pth').write_bytes(b'unpublished')
    assert {*stored_weights()} == {NAME, 'other'}
    assert find_weights(NAME) == find_weights(f'configs/sdpose/coco/{NAME}.py', tmp_path / 'store') == file
    second = put(tmp_path / 'store', NAME, b'two')
    with pytest.raises(UserError, match=f'holds several of {NAME}: name one of .*{second.name}'):
        find_weights(NAME)
    file.unlink()
    second.write_bytes(b'damaged')
    with pytest.raises(CheckpointError, match=f'{second.name} is damaged: its content has the hash'):
        find_weights(NAME)
    monkeypatch.delenv('SDPOSE_HOME')
    monkeypatch.setenv('HOME', str(tmp_path))
    with pytest.raises(UserError, match=r'\.cache/sdpose holds no'):
        find_weights(NAME)
