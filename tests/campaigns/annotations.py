"""Hand odd annotation files to the checks before a run: ``annotations.py FOLDER [--seed S] [--runs N]``.

Each file is a sound one with one thing changed, for everybody or for one person that the seed draws. The check runs in
this process, and ends clear (one line that names the file), warned, or without a word. What is wrong must be clear or
warned of, what a data set class reads must be quiet, and what passes is trained on in a few files that the seed draws.
"""

import argparse
import copy
import json
import math
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import data_set_forms as forms  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402

from sdpose import train  # noqa: E402
from sdpose.errors import UserError  # noqa: E402
from sdpose.preflight import datasets  # noqa: E402

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 60
_NAN, _INF = float('nan'), float('inf')
Entry = dict[str, Any]


class Odd(NamedTuple):
    """One kind of fault: how an entry changes, and the outcomes that are right."""

    name: str
    change: Callable[[Entry], Any]
    right: tuple[str, ...]


_CLEAR, _ODD, _FINE = ('clear',), ('clear', 'warned'), ('quiet', 'warned')


def _keypoints(change: Callable[[float, float, float], tuple]) -> Callable[[Entry], None]:
    """A change of every joint of a person."""

    def changed(ann: Entry) -> None:
        values = ann['keypoints']
        ann['keypoints'] = [v for place in range(0, len(values), 3) for v in change(*values[place : place + 3])]

    return changed


def _box(change: Callable[[float, float, float, float], list]) -> Callable[[Entry], None]:
    return lambda ann: ann.update(bbox=change(*ann['bbox']))


def _put(**values: Any) -> Callable[[Entry], None]:
    return lambda entry: entry.update(copy.deepcopy(values))


def _drop(*keys: str) -> Callable[[Entry], None]:
    return lambda entry: [entry.pop(key) for key in keys]


PEOPLE = (
    Odd('visibility -1', _keypoints(lambda x, y, v: (x, y, -1)), _CLEAR),
    Odd('visibility -0.5', _keypoints(lambda x, y, v: (x, y, -0.5)), _CLEAR),
    Odd('visibility 0.4', _keypoints(lambda x, y, v: (x, y, 0.4)), ('warned',)),
    Odd('visibility true', _keypoints(lambda x, y, v: (x, y, True)), ('quiet', 'clear')),
    Odd('visibility text', _keypoints(lambda x, y, v: (x, y, '2')), _CLEAR),
    Odd('visibility null', _keypoints(lambda x, y, v: (x, y, None)), _CLEAR),
    Odd('joints as fractions', _keypoints(lambda x, y, v: (x / 160, y / 120, v)), _ODD),
    Odd('joints far outside', _keypoints(lambda x, y, v: (x + 900, y + 900, v)), _ODD),
    Odd('joints negative', _keypoints(lambda x, y, v: (-x, -y, v)), _ODD),
    Odd('joints from the box', _keypoints(lambda x, y, v: (x - 90, y - 90, v)), _ODD),
    Odd('a joint not a number', lambda ann: ann['keypoints'].__setitem__(0, _NAN), _CLEAR),
    Odd('a joint infinite', lambda ann: ann['keypoints'].__setitem__(1, -_INF), _CLEAR),
    Odd('a joint null', lambda ann: ann['keypoints'].__setitem__(4, None), _CLEAR),
    Odd('a joint as text', lambda ann: ann['keypoints'].__setitem__(4, '12'), _CLEAR),
    Odd('a joint of 400 digits', lambda ann: ann['keypoints'].__setitem__(4, 10**400), _CLEAR),
    Odd('one number less', lambda ann: ann['keypoints'].pop(), _CLEAR),
    Odd('one joint more', lambda ann: ann['keypoints'].extend([1, 1, 2]), _CLEAR),
    Odd('no visibility', lambda ann: ann['keypoints'].__delitem__(slice(2, None, 3)), _CLEAR),
    Odd('keypoints null', _put(keypoints=None), _CLEAR),
    Odd('keypoints text', _put(keypoints='1 2 3'), _CLEAR),
    Odd('keypoints an object', _put(keypoints={'nose': [1, 2, 2]}), _CLEAR),
    Odd('no keypoints', _drop('keypoints'), _ODD),
    Odd('no box', _drop('bbox'), _CLEAR),
    Odd('box null', _put(bbox=None), _CLEAR),
    Odd('box of 3', _put(bbox=[1, 2, 3]), _CLEAR),
    Odd('box as text', _put(bbox=['1', '2', '3', '4']), _CLEAR),
    Odd('box not a number', _put(bbox=[1, _NAN, 3, 4]), _CLEAR),
    Odd('box without extent', _box(lambda x, y, w, h: [x, y, 0, h]), _ODD),
    Odd('box of negative width', _box(lambda x, y, w, h: [x, y, -w, h]), _ODD),
    Odd('box as fractions', _box(lambda x, y, w, h: [x / 160, y / 120, w / 160, h / 120]), _ODD),
    Odd('box as corners', _box(lambda x, y, w, h: [x, y, x + w, y + h]), ('clear', 'warned', 'one')),
    Odd('box outside', _box(lambda x, y, w, h: [x + 500, y, w, h]), _ODD),
    Odd('num_keypoints 0', _put(num_keypoints=0), _ODD),
    Odd('no num_keypoints', _drop('num_keypoints'), _FINE),
    Odd('area 0', _put(area=0), _ODD),
    Odd('area negative', _put(area=-3), _CLEAR),
    Odd('area null', _put(area=None), _CLEAR),
    Odd('area not a number', _put(area=_NAN), _CLEAR),
    Odd('area as a fraction', _put(area=0.2), _ODD),
    Odd('no area', _drop('area'), _CLEAR),
    Odd('a crowd', _put(iscrowd=1), ('clear', 'quiet')),  # clear where nobody is left
    Odd('no iscrowd', _drop('iscrowd'), _FINE),
    Odd('id negative', lambda ann: ann.update(id=-ann['id']), _CLEAR),
    Odd('id as text', lambda ann: ann.update(id=str(ann['id'])), _CLEAR),
    Odd('id a fraction', lambda ann: ann.update(id=ann['id'] + 0.5), _CLEAR),
    Odd('no id', _drop('id'), _CLEAR),
    Odd('ids equal', _put(id=1), ('clear', 'one')),
    Odd('image_id of nobody', _put(image_id=77), _CLEAR),
    Odd('image_id as text', lambda ann: ann.update(image_id=str(ann['image_id'])), _CLEAR),
    Odd('no image_id', _drop('image_id'), _CLEAR),
    Odd('category not listed', _put(category_id=9), _ODD),
    Odd('category as text', _put(category_id='person'), _CLEAR),
    Odd('no category_id', _drop('category_id'), _CLEAR),
    Odd('further fields', _put(attributes={'a': [1]}, track_id=3), _FINE),
)
IMAGES = (
    Odd('image ids equal', _put(id=1), ('clear', 'one')),
    Odd('image id as text', lambda image: image.update(id=str(image['id'])), _CLEAR),
    Odd('no file_name', _drop('file_name'), _CLEAR),
    Odd('file_name a number', _put(file_name=3), _CLEAR),
    Odd('file_name of nothing', _put(file_name='gone.jpg'), _CLEAR),
    Odd('file_name of Windows', lambda image: image.update(file_name=f'images\\{image["file_name"]}'), _CLEAR),
    Odd('file_name a folder', _put(file_name='.'), _CLEAR),
    Odd('width 0', _put(width=0), _CLEAR),
    Odd('no width', _drop('width'), _CLEAR),
    Odd('height as text', _put(height='120'), _CLEAR),
    Odd('sides exchanged', _put(width=120, height=160), ('warned',)),
    Odd('half the size', _put(width=80, height=60), ('warned',)),
)
WHOLE = (
    Odd('no categories', _drop('categories'), _CLEAR),
    Odd('categories empty', _put(categories=[]), _CLEAR),
    Odd('categories null', _put(categories=None), _CLEAR),
    Odd('annotations empty', _put(annotations=[]), _CLEAR),
    Odd('annotations an object', _put(annotations={}), _CLEAR),
    Odd('no images', _drop('images'), _CLEAR),
    Odd('images of text', _put(images=['a.jpg']), _CLEAR),
    Odd('joints in another order', lambda content: _name_joints(content, reverse=True), _CLEAR),
    Odd('joints in capitals', lambda content: _name_joints(content), _FINE),
)
TEXTS: dict[str, tuple[Callable[[str], bytes], tuple[str, ...]]] = {
    'byte order mark': (lambda text: text.encode('utf-8-sig'), _FINE),
    'Windows lines': (lambda text: text.replace(', ', ',\r\n').encode(), _FINE),
    'UTF-16': (lambda text: text.encode('utf-16'), _CLEAR),
    'UTF-32': (lambda text: text.encode('utf-32-le'), _CLEAR),
    'Latin-1': (lambda text: text.replace('thing', 'th\xefng').encode('latin-1'), _CLEAR),
    'torn': (lambda text: text[: len(text) // 2].encode(), _CLEAR),
    'empty': (lambda text: b'', _CLEAR),
    'a list': (lambda text: b'[]', _CLEAR),
    'null': (lambda text: b'null', _CLEAR),
    'not JSON': (lambda text: b'0 .5 .5 .2 .4 .25 .25 2\n', _CLEAR),
    'zipped': (lambda text: b'PK\x03\x04' + text.encode(), _CLEAR),
    'deeply nested': (lambda text: b'[' * 100000, _CLEAR),
}


def _name_joints(content: Entry, reverse: bool = False) -> None:
    """Name the joints in the file, as COCO's metainfo has them or the other way round."""
    info = Config.fromfile(_METAINFO).dataset_info.keypoint_info
    names = [info[number].name.upper().replace('_', ' ') for number in range(len(info))]
    content['categories'][0]['keypoints'] = names[::-1] if reverse else names


_METAINFO = Path(sys.modules['mmpose'].__file__ or '').parent / '.mim/configs/_base_/datasets/coco.py'


def files(seed: int) -> Iterator[tuple[str, Callable[[str], bytes], tuple[str, ...]]]:
    """Names, how the text of a sound file is changed, and the outcomes that are right."""
    rng = random.Random(seed)
    for key, kinds in (('annotations', PEOPLE), ('images', IMAGES)):
        for odd in kinds:
            everybody = odd.right if 'one' not in odd.right else tuple(set(odd.right) - {'one'})
            yield f'{odd.name}, everywhere', _changing(key, odd.change, None), everybody
            # One of three may be little to see, where the other two say what is meant.
            single = (*odd.right, 'quiet') if 'one' in odd.right else odd.right
            yield f'{odd.name}, once', _changing(key, odd.change, rng.randrange(3)), single
    for odd in WHOLE:
        yield odd.name, _changing(None, odd.change, None), odd.right
    for name, (change, right) in TEXTS.items():
        yield name, change, right


def _changing(key: str | None, change: Callable[[Entry], Any], place: int | None) -> Callable[[str], bytes]:
    def changed(text: str) -> bytes:
        content = json.loads(text)
        entries = [content] if key is None else content[key]
        for entry in entries if place is None else [entries[place]]:
            change(entry)
        return json.dumps(content).encode()

    return changed


def outcome(dataset: Entry, file: Path) -> tuple[str, str]:
    """How the check of a data set ends, and what it says."""
    said: list[str] = []
    datasets.print_log = lambda line, _, level=20: said.append(line) if level > 20 else None  # type: ignore[assignment]
    cfg = Config(
        dict(
            train_dataloader=dict(dataset=dict(dataset)),
            test_dataloader=dict(dataset=dict(dataset, test_mode=True)),
            test_evaluator=dict(type='CocoMetric', ann_file=str(file)),
        )
    )
    signal.alarm(_SECONDS)
    try:
        datasets.check_datasets(cfg, ('train', 'test'))
    except TimeoutError:
        return 'hang', f'no answer for {_SECONDS} s'
    except UserError as error:
        line = str(error)
        named = file.name in line or str(file.parent) in line
        return ('clear', line) if named and '\n' not in line else ('unclear', line)
    except Exception as error:  # what a user would see as a traceback
        return 'traceback', f'{type(error).__name__}: {error}'
    finally:
        signal.alarm(0)
    return ('warned', said[0]) if said else ('quiet', '')


def _time_out(*_: Any) -> None:
    raise TimeoutError


def _train(folder: Path) -> str:
    """Train a step on a file that passed; what went wrong, or nothing."""
    config = _ROOT / 'configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'
    part = {'data_prefix.img': 'images/', 'ann_file': 'ann.json', 'data_root': f'{folder}/'}
    options = {f'train_dataloader.dataset.{key}': value for key, value in part.items()}
    options |= {'train_cfg.max_epochs': 1, 'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0}
    try:
        model = train(str(config), no_validate=True, work_dir=str(folder / 'run'), cfg_options=options)
    except Exception as error:  # what a user would see
        return f'{type(error).__name__}: {error}'
    sound = all(math.isfinite(float(weight.detach().abs().sum())) for weight in model.parameters())
    return '' if sound else 'weights are no numbers'


def main() -> int:
    """Make the files, check each, train on a few; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--runs', type=int, default=3, help='how many of the files that pass are trained on')
    args = parser.parse_args()
    init_default_scope('mmpose')
    signal.signal(signal.SIGALRM, _time_out)
    counts: Counter[str] = Counter()
    wrong, passed = [], []
    for number, (name, change, right) in enumerate(files(args.seed)):
        folder = args.folder / f'{number:03d}'
        folder.mkdir(parents=True)
        dataset = dict(type='CocoDataset', data_root=str(folder), **forms.coco(folder, 17))
        file = folder / 'ann.json'
        file.write_bytes(change(file.read_text()))
        found, said = outcome(dataset, file)
        counts[found if found != 'quiet' or 'quiet' in right else 'silent'] += 1
        if found not in right:
            wrong.append(f'{name}: {found} ({said})')
        if found in ('quiet', 'warned'):
            passed.append((name, folder))
    for name, folder in random.Random(args.seed).sample(passed, min(args.runs, len(passed))):
        counts['trained'] += 1
        if said := _train(folder):
            wrong.append(f'{name}: passed the check, then {said}')
    total = sum(count for kind, count in counts.items() if kind != 'trained')
    print(f'{total} files: ' + ', '.join(f'{counts[kind]} {kind}' for kind in _KINDS))
    print('\n'.join(wrong))
    return 1 if wrong else 0


_KINDS = ('clear', 'warned', 'quiet', 'silent', 'unclear', 'traceback', 'hang', 'trained')

if __name__ == '__main__':
    sys.exit(main())
