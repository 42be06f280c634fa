"""Checkpoints in safetensors: written by publish, read as a .pth is, refused in one line when damaged."""

import json
from pathlib import Path

import pytest
import torch
from mmengine.runner import CheckpointLoader
from stick_people import CONFIG

import sdpose
from sdpose.errors import CheckpointError
from sdpose.io.checkpoint import write_checkpoint
from sdpose.io.model_store import find_weights
from sdpose.io.weights_file import load_file, pack_safetensors

WEIGHTS = dict(a=torch.arange(6.0).reshape(2, 3), b=torch.tensor([1, 2]), c=torch.ones(4, 3).T.bfloat16())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Tensors of any kind and stride, and the meta; a foreign file has none."""
    file = tmp_path / 'a.safetensors'
    file.write_bytes(pack_safetensors(WEIGHTS, dict(config='x.py', metrics=dict(AP=0.5), stripped=['d'])))
    found = load_file(file)
    assert found['meta'] == dict(config='x.py', metrics=dict(AP=0.5), stripped=['d'])
    assert found['state_dict'].keys() == WEIGHTS.keys()
    for name, value in WEIGHTS.items():
        assert found['state_dict'][name].dtype == value.dtype and torch.equal(found['state_dict'][name], value)
    from safetensors.torch import save

    file.write_bytes(save({'a': torch.ones(2)}))
    assert load_file(file)['meta'] == {} and torch.equal(load_file(file)['state_dict']['a'], torch.ones(2))


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    file, whole = tmp_path / 'a.safetensors', pack_safetensors(WEIGHTS, {})
    header = json.dumps({'__metadata__': {'sdpose': '[1]'}}).encode()
    for content in (
        whole[:-1],
        whole[:40],
        whole + b'more',
        (10**12).to_bytes(8, 'little') + b'{"a": 1}',
        (4).to_bytes(8, 'little') + b'{"a"',
        len(header).to_bytes(8, 'little') + header,
    ):
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match='a.safetensors is not a complete checkpoint') as caught:
            load_file(file)
        assert '\n' not in str(caught.value)


def test_a_published_file(repo_root: Path, tmp_path: Path) -> None:
    """It holds what the .pth does, config and figures included, is named by its content, and serves as one."""
    (tmp_path / 'tiny.py').write_text(CONFIG.format(root=repo_root))
    config, trained = str(tmp_path / 'tiny.py'), str(tmp_path / 'epoch_1.pth')
    model = sdpose.init_model(config)
    write_checkpoint(dict(state_dict=model.state_dict(), meta=dict(epoch=1)), trained)
    usual = sdpose.publish(config, trained, f'{tmp_path}/usual/').file
    done = sdpose.publish(config, trained, f'{tmp_path}/safe/', safetensors=True)
    assert (
        done.difference == 0
        and done.file.suffix == '.safetensors'
        and find_weights('tiny', done.file.parent) == done.file
    )
    one, other = (CheckpointLoader.load_checkpoint(str(file), map_location='cpu') for file in (usual, done.file))
    assert {**one['meta'], 'time': 0} == {**other['meta'], 'time': 0} and other['meta']['training'] == dict(epoch=1)
    assert one['state_dict'].keys() == other['state_dict'].keys()
    assert all(torch.equal(value, other['state_dict'][name]) for name, value in one['state_dict'].items())
    assert sdpose.PoseInferencer(weights=str(done.file)).model.size == (48, 64)
    loaded = sdpose.init_model(config, str(done.file))
    assert torch.equal(loaded.neck.tokenizer.query, model.neck.tokenizer.query)
    again = sdpose.publish(config, str(done.file), f'{tmp_path}/again/')
    assert again.difference == 0 and again.file.suffix == '.pth'
