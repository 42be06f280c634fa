"""Files made to do harm are refused in one line, or do nothing; whatever is read, memory stays that of the file."""

import json
import os
import pickletools
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import hostile_files
import pytest
import torch
from honest_checkpoint import write_honest

from sdpose.errors import CheckpointError
from sdpose.io.weights_file import load_file

# Those whose harm is in a text, which loading only hands on.
LOADED = {'config_with_code', 'config_with_call', 'config_of_foreign_class', 'config_with_base', 'resumed_config'}
# Where a second wall would hold as well, the words of the first.
REASONS = {
    'storage_beyond_its_record': '4,000,000 bytes, of which 16 are stored',
    'array_beyond_its_bytes': '8 bytes, not 1000 x 8',
    'legacy_large_storage': 'more than the file',
    'array_of_objects': "elements 'O8', which are neither numbers nor text",
    'deep_list': 'nested deeper than 64',
    'list_of_itself': 'nested deeper than 64',
    'many_records': 'more records than any checkpoint',
    'bomb': 'it unpacks to 268,435,',
}
_READER = Path(__file__).with_name('read_all.py')


def read_all(files: list[Path], env: dict) -> dict:
    done = subprocess.run(
        [sys.executable, str(_READER), *map(str, files)], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f'{done.returncode}\n{done.stdout[-500:]}\n{done.stderr[-2000:]}'
    return json.loads(done.stdout)


def test_every_hostile_file(tmp_path: Path, tool_env: dict):
    files = {hostile_files.write(name, tmp_path): name for name in hostile_files.HOSTILE}
    assert len(files) >= 40
    found = read_all(list(files), tool_env)
    for file, (outcome, grown, seconds) in found['files'].items():
        name = files[Path(file)]
        assert (outcome == 'loaded') == (name in LOADED), f'{name}: {outcome}'
        assert name in LOADED or (file in outcome and '\n' not in outcome and 'DEFECT' not in outcome), outcome
        assert REASONS.get(name, '') in outcome
        # A million entries of 64 bytes are the allowance of any file.
        assert grown < 2 * Path(file).stat().st_size / 2**20 + 100, f'{name} took {grown} MiB'
        assert seconds < 60, f'{name} took {seconds} s'
    assert not (tmp_path / 'ran').exists()


def test_the_file_that_made_bytes_a_pointer(tmp_path: Path):
    file = hostile_files.write('pointer_by_counter', tmp_path)
    assert b'cnumpy\nndarray' in file.read_bytes() and b'AAAAAAAA' in file.read_bytes()
    with pytest.raises(CheckpointError, match='pointer_by_counter.pth was refused and nothing in it was run'):
        load_file(file)


def test_torchs_own_list_of_types_stays_as_it_is():
    assert {found.__module__.partition('.')[0] for found in torch.serialization.get_safe_globals()} <= {'torch'}


def mutated(content: bytes, rng: random.Random, places: list[int]) -> bytes:
    """One to three changes: a byte, a code where a code stands, a part removed, repeated or moved."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        place, other = rng.randrange(len(data)), rng.randrange(len(data))
        kind = rng.randrange(5)
        if kind == 0:
            data[place] = rng.randrange(256)
        elif kind == 1:
            data[rng.choice(places) % len(data)] = ord(rng.choice('(.RbQ]}tueasNK\x85\x86\x87cqhX\x81'))
        elif kind == 2:
            del data[place : place + rng.randint(1, 9)]
        elif kind == 3:
            data[place:place] = data[other : other + rng.randint(1, 40)]
        else:
            data[place : place + 4] = rng.randbytes(4)
    return bytes(data)


@pytest.mark.parametrize('count', [500, pytest.param(2000, marks=pytest.mark.long)])
def test_mutations_of_a_real_pickle(tmp_path: Path, tool_env: dict, count: int):
    """Many thousand small files in one process would be slow to write: it makes them itself."""
    write_honest(tmp_path / 'a.pth', odd={'a': b'bytes', 'b': (1, 2.5, None)})
    path = os.pathsep.join([tool_env['PYTHONPATH'], str(_READER.parent), str(_READER.parents[2])])
    done = subprocess.run(
        [
            sys.executable,
            '-c',
            'import test_hostile_files; test_hostile_files.mutate_all()',
            str(tmp_path / 'a.pth'),
            str(count),
        ],
        env={**tool_env, 'PYTHONPATH': path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f'{done.returncode}\n{done.stderr[-2000:]}'
    found = json.loads(done.stdout)
    assert found['defects'] == [] and found['loaded'] + found['refused'] == count
    assert found['refused'] > count / 2 and found['loaded'] > 0


def mutate_all() -> None:
    """Mutate the pickle of the file that is the first argument as often as the second says, and read each."""
    import read_all as reader

    source, rng, found = Path(sys.argv[1]), random.Random(4), dict(loaded=0, refused=0, defects=[])
    with zipfile.ZipFile(source) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in records if name.endswith('data.pkl'))
    places = [place for _, _, place in pickletools.genops(records[name])]
    for number in range(int(sys.argv[2])):
        with zipfile.ZipFile(source.with_name('b.pth'), 'w') as archive:
            for each, content in records.items():
                archive.writestr(each, mutated(content, rng, places) if each == name else content)
        outcome = reader.outcome(str(source.with_name('b.pth')))
        found['loaded' if outcome == 'loaded' else 'refused'] += 1
        if 'DEFECT' in outcome or '\n' in outcome:
            found['defects'].append(f'{number}: {outcome}')
    json.dump(found, sys.stdout)
