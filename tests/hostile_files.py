"""Checkpoint files made to do harm, written opcode by opcode; each is refused in one line, or loads and does nothing.

``write(name, folder)`` writes one of ``HOSTILE``. What would run creates the folder ``ran`` beside the file.
"""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LARGE = 10**11
_ROUNDS = 10**6


def write(name: str, folder: Path) -> Path:
    """Write a hostile file.

    Args:
        name: A key of ``HOSTILE``.
        folder: Where it goes.

    Returns:
        The file.
    """
    file = folder / f'{name}.pth'
    HOSTILE[name](file)
    return file


def text(value: str) -> bytes:
    content = value.encode('utf-8')
    return b'X' + struct.pack('<I', len(content)) + content


def number(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, 'little', signed=True)
    return b'\x8a' + bytes([len(content)]) + content


def tuple_of(*items: bytes) -> bytes:
    return b'(' + b''.join(items) + b't'


def list_of(*items: bytes) -> bytes:
    return b'](' + b''.join(items) + b'e'


def dict_of(**entries: bytes) -> bytes:
    return b'}(' + b''.join(text(key) + value for key, value in entries.items()) + b'u'


def named(full: str) -> bytes:
    module, _, name = full.rpartition('.')
    return f'c{module}\n{name}\n'.encode()


def call(full: str, *arguments: bytes) -> bytes:
    return named(full) + tuple_of(*arguments) + b'R'


def storage(key: str, count: int, kind: str = 'torch.FloatStorage') -> bytes:
    return tuple_of(text('storage'), named(kind), text(key), text('cpu'), number(count)) + b'Q'


def tensor(
    size: tuple = (4,), stride: tuple = (1,), offset: int = 0, held: bytes | None = None, hooks: bytes = b''
) -> bytes:
    return call(
        'torch._utils._rebuild_tensor_v2',
        held or storage('0', 4),
        number(offset),
        tuple_of(*map(number, size)),
        tuple_of(*map(number, stride)),
        b'\x89',
        hooks or call('collections.OrderedDict'),
    )


def dtype(code: str, fields: bytes = b'NNN') -> bytes:
    state = tuple_of(number(3), text('<'), fields, number(-1), number(-1), number(0))
    return call('numpy.dtype', text(code), b'\x89', b'\x88') + state + b'b'


def encoded(value: str) -> bytes:
    return call('_codecs.encode', text(value), text('latin1'))


def array(shape: tuple, kind: bytes, data: bytes) -> bytes:
    start = call('numpy._core.multiarray._reconstruct', named('numpy.ndarray'), tuple_of(number(0)), encoded('b'))
    return start + tuple_of(number(1), tuple_of(*map(number, shape)), kind, b'\x89', data) + b'b'


def archive(
    file: Path, content: bytes, records: dict[str, bytes] | None = None, packing: int = zipfile.ZIP_STORED
) -> None:
    """The layout of torch.save: a pickle and storages; ``0`` holds four numbers."""
    with zipfile.ZipFile(file, 'w', packing) as target:
        target.writestr('archive/data.pkl', b'\x80\x02' + content + b'.')
        for name, record in {
            'version': b'3\n',
            'byteorder': b'little',
            'data/0': struct.pack('<4f', 1, 2, 3, 4),
            **(records or {}),
        }.items():
            target.writestr(f'archive/{name}', record)


def checkpoint(**entries: bytes) -> bytes:
    """A checkpoint of one weight with these entries beside it."""
    return dict_of(state_dict=dict_of(weight=tensor()), **entries)


def _beside(content: bytes) -> Callable[[Path], None]:
    """A file whose meta is or holds what these opcodes make."""
    return lambda file: archive(file, checkpoint(meta=dict_of(odd=content)))


def _weight(content: bytes) -> Callable[[Path], None]:
    """A file whose one weight is what these opcodes make."""
    return lambda file: archive(file, dict_of(state_dict=dict_of(weight=content)))


def _running(file: Path) -> bytes:
    return call('posix.mkdir', text(str(file.parent / 'ran')))


def _legacy(*pickles: bytes) -> Callable[[Path], None]:
    """The layout before torch 1.6."""
    start = (number(0x1950A86A20F9469CFC6C), number(1001), dict_of(little_endian=b'\x88'))
    return lambda file: file.write_bytes(b''.join(b'\x80\x02' + part + b'.' for part in (*start, *pickles)))


def _bomb(file: Path) -> None:
    archive(file, checkpoint(), {'data/1': bytes(2**28)}, zipfile.ZIP_DEFLATED)


def _bomb_of_pickle(file: Path) -> None:
    archive(file, text('x' * 2**26), packing=zipfile.ZIP_DEFLATED)


def _overlapping(file: Path) -> None:
    """Thousands of records that are all the same bytes of the file."""
    archive(file, checkpoint(), {'data/x': bytes(2**20)})
    with zipfile.ZipFile(file, 'a') as target:
        shared = target.getinfo('archive/data/x')
        for count in range(3000):
            entry = zipfile.ZipInfo(f'archive/data/{count:04d}')
            for field in ('CRC', 'compress_size', 'file_size', 'header_offset', 'compress_type'):
                setattr(entry, field, getattr(shared, field))
            target.filelist.append(entry)
        target._didModify = True


def _many_records(file: Path) -> None:
    table = b''.join(
        struct.pack('<4s6H3L5H2L', b'PK\x01\x02', 20, 20, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0) + b'%05x' % count
        for count in range(200_000)
    )
    end = struct.pack('<4s4H2LH', b'PK\x05\x06', 0, 0, 65535, 65535, len(table), 30, 0)
    file.write_bytes(b'PK\x03\x04'.ljust(30, b'\0') + table + end)


def _twice(file: Path) -> None:
    archive(file, checkpoint())
    with zipfile.ZipFile(file, 'a') as target:
        target.writestr('archive/data.pkl', b'\x80\x02' + _running(file) + b'.')


def _torchscript(file: Path) -> None:
    archive(file, checkpoint(), {'constants.pkl': b'\x80\x02' + _running(file) + b'.'})


def _config(text_of: str) -> Callable[[Path], None]:
    """A stored config; ``{ran}`` in it stands for the folder that tells that it was run."""
    return lambda file: archive(file, checkpoint(meta=dict_of(cfg=text(text_of.format(ran=file.parent / 'ran')))))


def _repeated(start: bytes, again: bytes, count: int) -> bytes:
    return list_of(start + b'q\x01', *([again] * count))


HOSTILE: dict[str, Callable[[Path], Any]] = {
    # constructors with free arguments
    'pointer_by_counter': _beside(
        call('collections.Counter', call('numpy.ndarray', tuple_of(number(1)), text('O'), encoded('AAAAAAAA')))
    ),
    'array_constructor': _beside(call('numpy.ndarray', tuple_of(number(_LARGE)))),
    'array_of_objects': _beside(array((1,), dtype('O8'), encoded('AAAAAAAA'))),
    'array_of_records': _beside(
        array(
            (1,),
            dtype('V8', b'N' + tuple_of(text('a')) + dict_of(a=tuple_of(dtype('O8'), number(0)))),
            encoded('AAAAAAAA'),
        )
    ),
    'array_of_large_text': _beside(array((0,), dtype('U500000000'), encoded(''))),
    'array_beyond_its_bytes': _beside(array((1000,), dtype('f8'), encoded('AAAAAAAA'))),
    'array_of_negative_length': _beside(array((-1, -8), dtype('u1'), encoded('AAAAAAAA'))),
    'array_state_twice': _beside(array((1,), dtype('f8'), encoded('AAAAAAAA')) + tuple_of(number(0)) + b'b'),
    'scalar_of_object': _beside(call('numpy._core.multiarray.scalar', dtype('O8'), encoded('AAAAAAAA'))),
    'scalar_of_few_bytes': _beside(call('numpy._core.multiarray.scalar', dtype('f8'), encoded('A'))),
    'large_bytearray': _beside(call('builtins.bytearray', number(_LARGE))),
    'large_bytes': _beside(call('builtins.bytes', number(_LARGE))),
    'counter_of_text': _beside(call('collections.Counter', text('abc'))),
    'shape_of_text': _beside(call('torch.Size', tuple_of(text('a')))),
    'odd_log': _beside(
        call('mmengine.logging.history_buffer.HistoryBuffer')
        + dict_of(max_length=number(3), _log_history=text('a'), _count_history=text('a'))
        + b'b'
    ),
    'log_with_attributes': _beside(
        call('mmengine.logging.history_buffer.HistoryBuffer') + dict_of(mean=number(3)) + b'b'
    ),
    'attribute_of_a_class': _beside(
        call('builtins.getattr', named('mmengine.logging.history_buffer.HistoryBuffer'), text('__init__'))
    ),
    'attribute_of_a_dict': _beside(call('collections.OrderedDict') + dict_of(items=number(1)) + b'b'),
    'attribute_of_a_name': _beside(named('_codecs.encode') + dict_of(__code__=number(1)) + b'b'),
    # code
    'call': lambda file: archive(file, checkpoint(meta=_running(file))),
    'evaluation': _beside(call('builtins.eval', text('__import__("os").mkdir("ran")'))),
    'call_by_codec': _beside(call('_codecs.lookup', text('ran'))),
    'bare_pickle': lambda file: file.write_bytes(b'\x80\x02' + _running(file) + b'.'),
    'legacy_call': lambda file: _legacy(_running(file))(file),
    'torchscript': _torchscript,
    'second_pickle': _twice,
    'config_with_code': _config('import os\nos.mkdir({ran!r})\n'.replace('{ran!r}', '"{ran}"')),
    'config_with_call': _config('model = dict(type=__import__("os").mkdir("{ran}"))\n'),
    'config_of_foreign_class': _config('model = dict(type="os.mkdir", path="{ran}")\n'),
    'config_with_base': _config('_base_ = "{ran}.py"\n'),
    'resumed_config': lambda file: archive(
        file,
        checkpoint(
            meta=dict_of(
                epoch=number(1), iter=number(9), config=text(f'import os\nos.mkdir("{file.parent / "ran"}")\n')
            )
        ),
    ),
    # tensors that are not what they say
    'large_tensor': _weight(call('torch.FloatTensor', number(_LARGE))),
    'view_of_a_million_million': _weight(tensor((10**6, 10**6), (0, 0))),
    'views_that_add_up': lambda file: archive(
        file, dict_of(state_dict=dict_of(**{f'w{count}': tensor((2**18,), (0,)) for count in range(500)}))
    ),
    'storage_beyond_its_record': _weight(tensor((10**6,), held=storage('0', 10**6))),
    'storage_without_record': _weight(tensor(held=storage('nowhere', 4))),
    'tensor_beyond_its_storage': _weight(tensor((10**9,))),
    'tensor_past_its_storage': _weight(tensor(offset=4)),
    'tensor_before_its_storage': _weight(tensor(offset=-1)),
    'negative_stride': _weight(tensor(stride=(-1,), offset=3)),
    'overflowing_size': _weight(tensor((2**61, 2**61), (1, 1))),
    'storage_of_two_types': _weight(list_of(tensor(), tensor(held=storage('0', 2, 'torch.DoubleStorage')))),
    'hooks': _weight(tensor(hooks=dict_of(hook=named('_codecs.encode')))),
    'sparse_tensor': _weight(
        call(
            'torch._utils._rebuild_sparse_tensor',
            call('torch.serialization._get_layout', text('torch.sparse_coo')),
            tuple_of(tensor(), tensor(), call('torch.Size', tuple_of(number(_LARGE)))),
        )
    ),
    'tensor_without_memory': _weight(
        call(
            'torch._utils._rebuild_meta_tensor_no_storage',
            named('torch.float32'),
            tuple_of(number(_LARGE)),
            tuple_of(number(1)),
            b'\x89',
        )
    ),
    'legacy_large_storage': _legacy(
        dict_of(
            state_dict=dict_of(
                weight=tensor(
                    (_LARGE,),
                    held=tuple_of(
                        text('storage'), named('torch.FloatStorage'), text('0'), text('cpu'), number(_LARGE), b'N'
                    )
                    + b'Q',
                )
            )
        ),
        list_of(text('0')),
    ),
    'legacy_without_bytes': _legacy(
        dict_of(
            state_dict=dict_of(
                weight=tensor(
                    held=tuple_of(text('storage'), named('torch.FloatStorage'), text('0'), text('cpu'), number(4), b'N')
                    + b'Q'
                )
            )
        ),
        b']',
    ),
    # much out of little
    'bomb': _bomb,
    'bomb_of_a_pickle': _bomb_of_pickle,
    'overlapping_records': _overlapping,
    'many_records': _many_records,
    'many_entries': _beside(list_of(*[b']'] * 3 * _ROUNDS)),
    'bytes_many_times': _beside(
        _repeated(text('x' * 10**5), named('_codecs.encode') + b'(h\x01' + text('latin1') + b'tR', 20_000)
    ),
    'deep_key': _beside(b'})' + b'\x85' * _ROUNDS + b'Ns'),
    'deep_list': _beside(b']' * 10**5 + b'a' * (10**5 - 1)),
    'list_of_itself': _beside(b']q\x01h\x01a'),
    'doubling_lists': _beside(b']q\x00' + b''.join(b'](h%ch%ceq%c' % (n, n, n + 1) for n in range(60))),
    'colliding_keys': _beside(b'}(' + b''.join(number((2**61 - 1) * n) + b'N' for n in range(1, 50_000)) + b'u'),
    'large_epoch': lambda file: archive(file, checkpoint(meta=dict_of(epoch=number(2**2000), iter=number(1)))),
}
