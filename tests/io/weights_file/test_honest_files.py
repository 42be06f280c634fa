"""What MMEngine, MMPose and torch write opens, with the same values, in every layout."""

import re
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import mmpose
import numpy as np
import pytest
import torch
from honest_checkpoint import write_honest
from mmengine.runner.checkpoint import CheckpointLoader, save_checkpoint
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import nn

from sdpose.errors import CheckpointError
from sdpose.io.weights_file import load_file

METAINFO = sorted((Path(mmpose.__file__).parent / '.mim/configs/_base_/datasets').glob('*.py'))
NUMPY_NAMES = (b'numpy.core', b'numpy._core')
ODD_META = dict(
    empty=np.array([]),
    empty_rows=np.empty((0, 3), np.float32),
    half=np.ones(2, np.float16),
    tiny=np.arange(3, dtype='i1'),
    short=np.arange(3, dtype='i2'),
    unsigned=np.arange(3, dtype='u4'),
    flag=np.array([True, False]),
    zero_d=np.array(3.5),
    text=np.array(['left', 'é']),
    raw=np.array([b'ab', b'c']),
    columns=np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    complex=np.array([1 + 2j]),
    scalar=np.float32(0.5),
    flag_scalar=np.bool_(True),
    word=np.str_('nose'),
    nested=dict(a=[(1, 'x'), None, {2: np.zeros(1)}]),
    byte=b'abc',
    no_byte=b'',
    names={'a', 'b'},
    number=1 + 2j,
    counted=Counter({3: 1}),
    ordered=OrderedDict(a=1),
    large=2**70,
    device=torch.device('cpu'),
    kind=torch.float16,
    shape=torch.Size([2, 3]),
)


def equal(one: Any, other: Any) -> bool:
    """Whether values and types are the same throughout."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
    return type(one) is type(other) and bool(one == other)


def renamed(source: Path, target: Path, package: bytes) -> None:
    """The same file, as the other NumPy would have written it."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, 'w') as out:
        for name in archive.namelist():
            content = archive.read(name)
            out.writestr(
                name,
                re.sub(rb'cnumpy\.\w+\.multiarray', b'c' + package + b'.multiarray', content)
                if name.endswith('data.pkl')
                else content,
            )


def load(file: Path) -> Any:
    return CheckpointLoader.load_checkpoint(str(file), map_location='cpu')


@pytest.mark.parametrize('package', NUMPY_NAMES)
def test_the_meta_of_every_data_set_of_mmpose(tmp_path: Path, package: bytes):
    assert len(METAINFO) > 50
    for file in METAINFO:
        meta = parse_pose_metainfo(dict(from_file=str(file)))
        write_honest(tmp_path / 'own.pth')
        save_checkpoint(dict(state_dict={'w': torch.ones(2)}, meta=dict(dataset_meta=meta)), str(tmp_path / 'a.pth'))
        renamed(tmp_path / 'a.pth', tmp_path / 'b.pth', package)
        assert equal(load(tmp_path / 'b.pth')['meta']['dataset_meta'], meta), file.name


@pytest.mark.parametrize('package', NUMPY_NAMES)
@pytest.mark.parametrize('key', ODD_META)
def test_odd_meta(tmp_path: Path, key: str, package: bytes):
    meta = dict(dataset_meta={key: ODD_META[key]})
    save_checkpoint(dict(state_dict={'w': torch.ones(2)}, meta=meta), str(tmp_path / 'a.pth'))
    renamed(tmp_path / 'a.pth', tmp_path / 'b.pth', package)
    assert equal(load(tmp_path / 'b.pth')['meta'], meta)


def test_numbers_of_another_byte_order_come_back_native(tmp_path: Path):
    torch.save(dict(w=torch.ones(1), meta=dict(a=np.arange(3, dtype='>f8'))), tmp_path / 'a.pth')
    assert load(tmp_path / 'a.pth')['meta']['a'].tolist() == [0, 1, 2]


def test_a_whole_checkpoint(tmp_path: Path):
    write_honest(tmp_path / 'a.pth')
    loaded, plain = load(tmp_path / 'a.pth'), torch.load(tmp_path / 'a.pth', weights_only=False)
    assert loaded.keys() == plain.keys() and loaded['meta'] == plain['meta']
    assert loaded['message_hub']['log_scalars']['train/loss'].mean() == 0.375
    assert loaded['param_schedulers'] == plain['param_schedulers']
    assert loaded['state_dict']._metadata == plain['state_dict']._metadata
    for number, state in plain['optimizer']['state'].items():
        for key, value in state.items():
            assert torch.equal(loaded['optimizer']['state'][number][key], value)


def test_a_data_set_without_limbs_in_init_model(tmp_path: Path, repo_root: Path):
    """Nearly half of MMPose's data sets have none, and their arrays are empty."""
    from mmpose.apis import init_model  # which needs mmdet, or sdpose before it

    config = repo_root / 'configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'
    meta = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/wflw.py'))
    model = init_model(config, device='cpu')
    save_checkpoint(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=meta)), str(tmp_path / 'a.pth'))
    again = init_model(config, str(tmp_path / 'a.pth'), device='cpu')
    assert equal(again.dataset_meta, meta) and len(meta['skeleton_links']) == 0
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in model.state_dict().items())


def tensors() -> dict[str, torch.Tensor]:
    """Every element type, and every way to look at a storage."""
    whole = torch.arange(24.0)
    kinds = (
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.complex64,
        torch.complex128,
    )
    return {
        **{str(kind): whole[:5].to(kind) for kind in kinds},
        'bool': whole > 3,
        'scalar': torch.tensor(3.0),
        'empty': torch.ones(0, 4),
        'window': whole[5:9],
        'turned': whole.view(4, 6).t(),
        'whole': whole,
        'expanded': torch.tensor([2.0]).expand(40, 5),
        'parameter': nn.Parameter(torch.ones(2)),
        'frozen': nn.Parameter(torch.ones(2), requires_grad=False),
        'learned': torch.ones(2).requires_grad_(),
    }


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_tensors(tmp_path: Path, zipped: bool):
    saved = tensors()
    torch.save(saved, tmp_path / 'a.pth', _use_new_zipfile_serialization=zipped)
    loaded = load_file(tmp_path / 'a.pth')
    assert list(loaded) == list(saved)
    for key, value in saved.items():
        assert type(loaded[key]) is type(value) and loaded[key].dtype == value.dtype
        assert torch.equal(loaded[key], value) and loaded[key].stride() == value.stride(), key
        assert loaded[key].requires_grad == value.requires_grad
    loaded['whole'][6] = 77
    assert loaded['window'][1] == 77, 'what shared memory no longer does'


def test_types_without_a_storage_of_their_own(tmp_path: Path):
    saved = dict(a=torch.arange(3).to(torch.uint16), b=torch.ones(3).to(torch.float8_e4m3fn))
    torch.save(saved, tmp_path / 'a.pth')
    loaded = load_file(tmp_path / 'a.pth')
    assert loaded['a'].dtype == torch.uint16 and loaded['b'].dtype == torch.float8_e4m3fn
    assert loaded['a'].int().tolist() == [0, 1, 2] and loaded['b'].float().tolist() == [1, 1, 1]


def test_a_file_of_a_machine_of_another_byte_order(tmp_path: Path):
    torch.save(dict(a=torch.tensor([1.0, 2.0])), tmp_path / 'a.pth')
    with zipfile.ZipFile(tmp_path / 'a.pth') as archive, zipfile.ZipFile(tmp_path / 'b.pth', 'w') as out:
        for name in archive.namelist():
            content = archive.read(name)
            swapped = np.frombuffer(content, '<f4').astype('>f4').tobytes() if name.endswith('data/0') else content
            out.writestr(name, b'big' if name.endswith('byteorder') else swapped)
    assert load_file(tmp_path / 'b.pth')['a'].tolist() == [1, 2]


def test_the_device_is_chosen(tmp_path: Path):
    torch.save(dict(a=torch.ones(3)), tmp_path / 'a.pth')
    assert load_file(tmp_path / 'a.pth', 'meta')['a'].is_meta
    assert load_file(tmp_path / 'a.pth', torch.device('cpu'))['a'].sum() == 3
    with open(tmp_path / 'a.pth', 'rb') as stream:
        assert load_file(stream)['a'].sum() == 3


def test_a_flipped_bit_is_noticed(tmp_path: Path):
    torch.save(dict(a=torch.ones(500), b=torch.full((500,), 2.0)), tmp_path / 'a.pth')
    content = bytearray((tmp_path / 'a.pth').read_bytes())
    place = content.index(torch.ones(500).numpy().tobytes()) + 902
    content[place] ^= 16
    (tmp_path / 'a.pth').write_bytes(content)
    assert torch.load(tmp_path / 'a.pth', weights_only=True)['a'].sum() != 500, 'torch noticed it: no need to'
    with pytest.raises(CheckpointError, match=r'a\.pth is not a complete checkpoint .*CRC.*data/0'):
        load_file(tmp_path / 'a.pth')


def test_a_file_without_checksums_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(dict(a=torch.ones(500)), tmp_path / 'a.pth')
    finally:
        torch.serialization.set_crc32_options(True)
    with zipfile.ZipFile(tmp_path / 'a.pth') as archive:
        assert archive.testzip() is not None, 'it has checksums: this test proves nothing'
    assert load_file(tmp_path / 'a.pth')['a'].sum() == 500
