"""Hand hostile and damaged checkpoints to every place that reads one: ``files.py FOLDER [--entries N] [--seed S]``.

The parent imports everything once, trains one honest checkpoint, writes the files of ``hostile_files`` and
``damaged_files``, and forks a process for each pair of a file and an entry point. A pair is sound if the file is
refused in one line and status 2, or does what an honest one does; nothing in it ran, no process crashed or hung, and
none took more memory than with the honest checkpoint plus twice the file's size.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import damaged_files  # noqa: E402
import hostile_files  # noqa: E402
from stick_people import CONFIG, write_coco  # noqa: E402

from sdpose import test, train  # noqa: E402
from sdpose.apis import cli  # noqa: E402
from sdpose.converters import convert_file, publish  # noqa: E402
from sdpose.converters.from_timm import convert_timm_file  # noqa: E402
from sdpose.errors import UserError  # noqa: E402

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 60
# What any file may take for its entries, beside twice its size (MiB).
_ALLOWANCE = 100
_TEACHER = """
_base_ = './tiny.py'
model = dict(distiller=dict(_delete_=True, type='TeacherDistiller', teacher='tiny.py', checkpoint='{file}', terms=dict(
    loss_query=dict(type='TokenMSELoss', on='query', loss_weight=5e-4))))
"""
_BACKBONE = """
_base_ = './tiny.py'
model = dict(backbone=dict(init_cfg=dict(_delete_=True, type='PretrainedBackbone', checkpoint='{file}')))
"""
_SHORT = {'train_cfg.max_epochs': 1, 'train_dataloader.num_workers': 0, 'train_dataloader.persistent_workers': False}


def _train(**options: Any) -> None:
    settings = {**_SHORT, **options.pop('cfg_options', {})}
    train('tiny.py', no_validate=True, work_dir='work', cfg_options=settings, **options)


def _with_config(text: str, file: str) -> None:
    Path('variant.py').write_text(text.format(file=file))
    train('variant.py', no_validate=True, work_dir='work', cfg_options=_SHORT)


def _init_model(file: str) -> None:
    from mmpose.apis import init_model  # after sdpose, which makes it importable

    init_model(Config.fromfile('tiny.py'), file, device='cpu')


def _infer(file: str) -> None:
    from mmpose.apis import Pose2DInferencer

    try:
        Pose2DInferencer(model=None, weights=file, det_model='whole_image', device='cpu', show_progress=False)
    except ValueError as error:
        if str(error) != 'Cannot find the config in the checkpoint.':  # MMEngine's own line, which is clear
            raise
        raise UserError(f'{file}: {error}') from error


# By name, what is called with a file, in a folder of its own.
ENTRIES: dict[str, Callable[[str], Any]] = {
    'test': lambda file: test('tiny.py', file, work_dir='work'),
    'resume': lambda file: _train(resume=file),
    'load_from': lambda file: _train(cfg_options=dict(load_from=file)),
    'teacher': partial(_with_config, _TEACHER),
    'backbone': partial(_with_config, _BACKBONE),
    'publish': lambda file: publish('tiny.py', file, 'out/'),
    'from_official': lambda file: convert_file(file, 'out.pth'),
    'from_timm': lambda file: convert_timm_file(file, 'out.pth'),
    'init_model': _init_model,
    'inferencer': _infer,
}


# Which expect another layout, or a part of a model.
_OF_OTHERS = ('from_official', 'from_timm', 'backbone')


def call(entry: str, file: Path, folder: Path) -> dict[str, Any]:
    """Hand a file to an entry point, in a process and a folder of its own."""
    folder.mkdir(parents=True)
    for name in ('tiny.py', 'data'):
        (folder / name).symlink_to(folder.parents[1] / name)
    child = os.fork()
    if child == 0:
        signal.alarm(_SECONDS)
        log = os.open(folder / 'said', os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 1), os.dup2(log, 2)
        os.chdir(folder)
        status = 1
        try:
            status = cli.run(lambda: ENTRIES[entry](str(file)))
        except BaseException as error:
            sys.stderr.write(f'Traceback: {type(error).__name__}: {error}\n')
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)
    _, ended, usage = os.wait4(child, 0)
    return dict(
        entry=entry,
        file=file.stem,
        status=os.waitstatus_to_exitcode(ended),
        mib=usage.ru_maxrss / 1024,
        said=(folder / 'said').read_text(errors='replace'),
    )


def faults(found: dict[str, Any], honest: dict[str, Any], file: Path) -> list[str]:
    """What is wrong with how a file was met."""
    lines = [line for line in found['said'].splitlines() if line.startswith('error: ')]
    size = file.stat().st_size / 2**20 if file.is_file() else 0
    wrong = {
        'crashed, hung or is a defect': found['status'] not in (0, 2),
        'no line': found['status'] == 2 and len(lines) != 1,
        'a line that does not name the file': found['status'] == 2 and lines and file.name not in lines[0],
        'a traceback': 'Traceback' in found['said'],
        'too much memory': found['mib'] > honest['mib'] + 2 * size + _ALLOWANCE,
        'something ran': (file.parent / 'ran').exists(),
    }
    return [name for name, is_so in wrong.items() if is_so]


def write_files(folder: Path, honest: Path) -> dict[str, Path]:
    """Every kind of file, by its name."""
    found = {}
    for kind, names in (
        ('hostile', hostile_files.HOSTILE),
        ('damaged', damaged_files.DAMAGED),
        ('resumed', damaged_files.RESUMED),
    ):
        (folder / kind).mkdir(parents=True)
        for name in names:
            source = () if kind == 'hostile' else (honest,)
            module = hostile_files if kind == 'hostile' else damaged_files
            found[f'{kind}/{name}'] = module.write(name, *source, folder / kind)
    return found


def pairs(files: dict[str, Path], entries: int, seed: int) -> list[tuple[str, str]]:
    """Each file with some of the entry points; a training that is damaged for resuming only with that one."""
    chance = random.Random(seed)
    return [
        (name, entry)
        for name in files
        for entry in (['resume'] if name.startswith('resumed') else chance.sample(list(ENTRIES), entries))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--entries', type=int, default=len(ENTRIES), help='entry points for each file (default: all)')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    folder, begin = args.folder.absolute(), time.monotonic()
    write_coco(folder / 'data')
    (folder / 'tiny.py').write_text(CONFIG.format(root=_ROOT))
    Runner._log_env = lambda self, env_cfg: None  # asks compilers for their versions
    os.chdir(folder)
    _train(cfg_options={'default_hooks.checkpoint.interval': 1})
    honest = folder / 'work/epoch_1.pth'
    files = write_files(folder / 'files', honest)
    norm = {entry: call(entry, honest, folder / 'calls' / f'honest-{entry}') for entry in ENTRIES}
    unable = [entry for entry, found in norm.items() if found['status'] != (2 if entry in _OF_OTHERS else 0)]
    if unable:
        print(f'an honest checkpoint fails in {unable}:\n{norm[unable[0]]["said"]}')
        return 1
    bad, refused = 0, 0
    chosen = pairs(files, args.entries, args.seed)
    for number, (name, entry) in enumerate(chosen):
        found = call(entry, files[name], folder / 'calls' / str(number))
        wrong = faults(found, norm[entry], files[name])
        bad, refused = bad + bool(wrong), refused + (found['status'] == 2)
        if wrong:
            print(
                json.dumps(
                    dict(file=name, entry=entry, status=found['status'], faults=wrong, said=found['said'][-500:])
                ),
                flush=True,
            )
    print(
        f'{len(files)} files, {len(chosen)} calls of {len(ENTRIES)} entry points: {refused} refused, '
        f'{len(chosen) - refused - bad} loaded, {bad} with faults ({time.monotonic() - begin:.0f} s)'
    )
    return int(bad > 0)


if __name__ == '__main__':
    sys.exit(main())
