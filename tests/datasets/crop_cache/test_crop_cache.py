"""Crops from a cache: the inputs that full pictures give, resumable files, and what is said when they do not fit."""

import contextlib
import gc
import io
import json
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from sdpose.config.load import load_config
from sdpose.config.variables import read_config
from sdpose.datasets.crop_cache import build as building
from sdpose.datasets.crop_cache.build import Storing, build_crop_cache
from sdpose.datasets.crop_cache.reach import Reach
from sdpose.datasets.crop_cache.store import CropCache, CropRow
from sdpose.datasets.transforms import LoadCachedCrop
from sdpose.errors import ConfigError, DataError
from sdpose.io.digest import sha256_of
from sdpose.preflight.crop_cache import check_crop_caches, check_data_to_cut, reads_crops
from sdpose.preflight.datasets import check_datasets
from sdpose.synthetic.generate import generate
from sdpose.synthetic.request import Request

_ROOT = Path(__file__).parents[3]
_REAL = _ROOT.parent / 'shared/data'
_BASES = dict(coco='coco_256x192', crowdpose='crowdpose_256x192', mpii='mpii_256x256')
_RAW = Storing(max_resolution=0)
_TOOL = 'python tools/dataset_tools/build_crop_cache.py'
_COMMAND = f'{_TOOL} a.py --out crops'
_SEEN = 'coco', 'crowdpose', 'mpii', 'boxes', 'custom'


def _config(base: str, root: Path, **dataset: Any) -> Config:
    root.mkdir(exist_ok=True)
    options = {f'train_dataloader.dataset.{key}': each for key, each in dataset.items()}
    options['data_root'] = f'{root}/'
    return load_config(_ROOT / f'configs/_base_/datasets/{base}.py', options)


@pytest.fixture(scope='module')
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Config]:
    """Configs of people drawn in each style, a dozen pictures of 320 x 240."""
    made: dict[str, Config] = {}

    def config(name: str) -> Config:
        style = name if name in _BASES else 'coco'
        if name not in made:
            root = tmp_path_factory.mktemp(name) / 'drawn'
            generate(root, Request(5, 1, 5, 'hard', (320, 240), style), workers=1)
            files = dict(ann_file='annotations/train.json', data_prefix=dict(img='train/')) if style == 'coco' else {}
            base = dict(boxes='coco_256x192_mmpose-boxes', custom='custom_256x192').get(name) or _BASES[style]
            if name == 'custom':
                _keep_nine_joints(root / 'annotations/train.json')
            made[name] = _config(base, root, **files)
        return made[name]

    return config


def _keep_nine_joints(file: Path) -> None:
    content = json.loads(file.read_text())
    for person in content['annotations']:
        joints = np.reshape(person['keypoints'], (17, 3))[[0, *range(5, 13)]]
        person.update(keypoints=joints.ravel().tolist(), num_keypoints=int((joints[:, 2] > 0).sum()))
    file.write_text(json.dumps(content))


def _steps(cfg: Config, cache: Path | None = None) -> tuple[Any, list[Any]]:
    """The training data, and the steps up to the crop."""
    init_default_scope('mmpose')
    dataset = cfg.train_dataloader.dataset.to_dict()
    if cache is not None:
        dataset['pipeline'][0] = dict(type='LoadCachedCrop', cache=str(cache))
    with contextlib.redirect_stdout(io.StringIO()):
        built = DATASETS.build(dataset)
    names = [type(step).__name__ for step in built.pipeline.transforms]
    return built, built.pipeline.transforms[: names.index('WindowedAffine') + 1]


def _crops(cfg: Config, cache: Path | None = None, draws: int = 4) -> list[dict[str, Any]]:
    built, steps = _steps(cfg, cache)
    made = []
    for draw in range(draws):
        for index in range(len(built)):
            np.random.seed(1000 * draw + index)
            sample = built.get_data_info(index)
            for step in steps:
                sample = step(sample)
            made.append(sample)
    return made


def _differences(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> np.ndarray:
    """Between the pixels, after what must be the same was compared."""
    for one, other in zip(ours, theirs, strict=True):
        assert one['flip'] == other['flip'] and one['ori_shape'] == other['ori_shape']
        seen = other['keypoints_visible'][0].reshape(len(other['keypoints'][0]), -1)[:, 0] > 0
        joints = [each['transformed_keypoints'][0][seen] for each in (one, other)]
        np.testing.assert_allclose(*joints, atol=2e-3)
    assert {sample['flip'] for sample in ours} == {True, False}
    return np.stack([cv2.absdiff(one['img'], other['img']) for one, other in zip(ours, theirs, strict=True)])


def _same(difference: np.ndarray) -> None:
    """OpenCV 5 samples in floating point, 4 at whole 32nds of a pixel, to which the offset of a crop is added."""
    if int(cv2.__version__.partition('.')[0]) >= 5:
        assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3 and difference.mean() < 1e-3


@pytest.mark.parametrize('name', _SEEN)
def test_a_crop_gives_the_input_of_the_full_picture(drawn: Callable, name: str, tmp_path: Path) -> None:
    cfg = drawn(name)
    built = build_crop_cache(cfg, tmp_path / 'crops', _RAW, _COMMAND)
    crops = _crops(cfg, tmp_path / 'crops')
    assert built.people == len(crops) / 4 and built.people >= 6
    _same(_differences(crops, _crops(cfg)))
    check_crop_caches(_cached(cfg, tmp_path / 'crops'), ['train'])


@pytest.mark.skipif(not _REAL.is_dir(), reason='the real pictures are not part of the repository')
@pytest.mark.parametrize('name', _BASES)
def test_real_pictures_give_the_same_inputs(name: str, tmp_path: Path) -> None:
    options = {'data_root': f'{_REAL / name}/', 'train_dataloader.dataset.ann_file': f'test_{name}.json'}
    options['train_dataloader.dataset.data_prefix'] = dict(img='')
    cfg = load_config(_ROOT / f'configs/_base_/datasets/{_BASES[name]}.py', options)
    build_crop_cache(cfg, tmp_path / 'crops', _RAW, _COMMAND)
    _same(_differences(_crops(cfg, tmp_path / 'crops', 3), _crops(cfg, draws=3)))


def test_jpeg_and_smaller_margins_differ_as_much_as_is_said(drawn: Callable, tmp_path: Path) -> None:
    cfg = drawn('coco')
    theirs = _crops(cfg)
    sizes = {}
    for storing in (_RAW, Storing('jpeg', max_resolution=0), Storing(margins=0.8, max_resolution=0)):
        out = tmp_path / f'{storing.format}{storing.margins}'
        sizes[out.name] = build_crop_cache(cfg, out, storing, _COMMAND).bytes
        difference = _differences(_crops(cfg, out), theirs)
        assert difference.mean() < 1 and (difference > 60).mean() < 0.005
    assert sizes['jpeg1.0'] < sizes['raw1.0'] / 4 and sizes['raw0.8'] < sizes['raw1.0']


def test_people_far_above_the_input_are_stored_smaller(drawn: Callable, tmp_path: Path) -> None:
    cfg = drawn('mpii')
    cfg = Config(dict(cfg.to_dict()))
    for step in cfg.train_dataloader.dataset.pipeline:
        if 'input_size' in step:
            step['input_size'] = (32, 32)
    build_crop_cache(cfg, tmp_path / 'whole', _RAW, _COMMAND)
    build_crop_cache(cfg, tmp_path / 'small', Storing(max_resolution=2.0), _COMMAND)
    whole, small = CropCache(tmp_path / 'whole'), CropCache(tmp_path / 'small')
    reduced = [at for at in range(len(small)) if small.row(at).sixteenths < 16]
    assert reduced
    for at in reduced:
        row, scale = small.row(at), small.row(at).sixteenths
        assert row[:4] == whole.row(at)[:4]
        sides = [-(-side // 16) * scale for side in (row.height, row.width)]  # filled up to a multiple of 16
        assert small.crop(at).shape == (*sides, 3)
    difference = _differences(_crops(cfg, tmp_path / 'small'), _crops(cfg, tmp_path / 'whole'))
    assert difference.mean() < 12  # half a pixel of shift would make it 20 and more


def test_points_of_a_reduced_crop_keep_the_centres_of_pixels() -> None:
    row = CropRow(10, 20, 64, 32, 8, 640, 480)  # half the size
    # The first two pixels, with centres 10 and 11, become pixel 0, whose centre is between them.
    np.testing.assert_allclose(row.moved(np.float32([[10.5, 20.5], [12.5, 24.5]])), [[0, 0], [1, 2]])
    np.testing.assert_array_equal(row._replace(sixteenths=16).moved(np.float32([[10.5, 20]])), [[0.5, 0]])


def _person(**more: Any) -> dict[str, Any]:
    joints = np.zeros((1, 17, 2), np.float32)
    return dict(bbox=np.float32([[100, 100, 140, 180]]), keypoints=joints, keypoints_visible=joints[..., 0], **more)


def test_the_region_of_a_box_by_hand() -> None:
    init_default_scope('mmpose')
    load, affine = dict(type='LoadCheckedImage'), dict(type='TopdownAffine', input_size=(192, 256))
    box = dict(type='GetBBoxCenterScale', padding=1.25)  # 50 x 100 around (120, 140), 75 x 100 in the input's aspect

    def region(*steps: dict, margins: float = 1.0) -> tuple:
        found, width = Reach([load, box, *steps, affine]).region(_person(), margins)
        assert width == 75
        return tuple(found)

    assert region() == (80, 88, 160, 192)  # 82.5 to 157.5, 90 to 190, and two pixels of rim
    still = dict(type='ClippedNormalBBoxTransform', shift_prob=0.0, scale_factor=0.0, rotate_prob=0.0)
    assert region(still) == region()
    assert region({**still, 'scale_factor': 0.2}) == (73, 78, 167, 202)  # half sides 45 and 60
    assert region({**still, 'shift_prob': 1.0, 'input_size': (192, 256)}) == (68, 72, 172, 208)  # and 12 and 16
    turned = {**still, 'rotate_prob': 0.6, 'rotate_factor': 45.0}  # up to 90 degrees: half the diagonal, 62.5
    assert region(turned) == (55, 75, 185, 205)
    # 15 degrees: 37.5 cos + 50 sin = 49.16, 50 cos + 37.5 sin = 58.00.
    assert region({**turned, 'rotate_factor': 7.5}) == (68, 79, 172, 201)
    assert region({**turned, 'rotate_factor': 7.5}, margins=0.5) == (93, 98, 147, 182)  # the annotated box is held


def test_every_draw_lies_in_its_region(drawn: Callable) -> None:
    for name in ('coco', 'boxes', 'crowdpose'):
        cfg = drawn(name)
        built, steps = _steps(cfg)
        reach = Reach([dict(step) for step in cfg.train_dataloader.dataset.pipeline])
        farthest = -np.inf
        for draw in range(25):
            for index in range(len(built)):
                np.random.seed(1000 * draw + index)
                sample = dict(built.get_data_info(index), img_shape=(240, 320), img=np.zeros((240, 320, 3), np.uint8))
                region = reach.region(built.get_data_info(index))[0]
                for step in steps[1:]:
                    sample = step(sample)
                corners = _corners(sample)
                low, high = corners.min(axis=0), corners.max(axis=0)
                beyond = np.r_[region[:2] - low, high - region[2:]].max()
                farthest = max(farthest, beyond)
        assert -40 < farthest <= 0  # all lie inside, and not by much


def _corners(sample: dict[str, Any]) -> np.ndarray:
    """Of the box that was cropped, in the picture (4, 2)."""
    turn, (width, height) = np.deg2rad(np.ravel(sample.get('bbox_rotation', 0))[0]), sample['input_scale'] / 2
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width, height)
    corners = signs @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + sample['input_center']
    if sample['flip']:
        corners[:, 0] = 320 - 1 - corners[:, 0]
    return corners


def test_a_step_of_unknown_reach_is_refused() -> None:
    init_default_scope('mmpose')
    steps = [
        dict(type='LoadCheckedImage'),
        dict(type='PhotometricDistortion'),
        dict(type='TopdownAffine', input_size=(4, 4)),
    ]
    with pytest.raises(ConfigError, match='PhotometricDistortion stands between .* put it behind TopdownAffine'):
        Reach(steps)
    with pytest.raises(ConfigError, match='no TopdownAffine'):
        Reach(steps[:1])


def _cached(cfg: Config, cache: Path) -> Config:
    cfg = Config(cfg.to_dict())
    cfg.train_dataloader.dataset.pipeline[0] = dict(type='LoadCachedCrop', cache=str(cache))
    return cfg


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, '_PEOPLE', 2)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_build_that_ended_early_goes_on(drawn: Callable, small_shards: None, tmp_path: Path) -> None:
    cfg = drawn('coco')
    out = tmp_path / 'crops'

    def stop(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_crop_cache(cfg, out, _RAW, _COMMAND, progress=stop)
    with pytest.raises(DataError, match=r'is a crop cache that is not finished \(2 shards are there.*CONFIG --out'):
        CropCache(out)
    built = build_crop_cache(cfg, out, _RAW, _COMMAND, workers=2)
    assert built.kept == 2 < built.shards
    build_crop_cache(cfg, tmp_path / 'other', _RAW, _COMMAND)
    assert _contents(out) == _contents(tmp_path / 'other')


def test_a_full_disk_loses_nothing(drawn: Callable, small_shards: None, tmp_path: Path) -> None:
    cfg, out = drawn('coco'), tmp_path / 'crops'
    sizes = [len(content) for content in _contents_of(cfg, tmp_path / 'other') if content]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes) - 1, limits[1]))
    try:
        with pytest.raises(OSError, match='File too large') as caught:
            build_crop_cache(cfg, out, _RAW, _COMMAND)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert 'crops-0' in str(caught.value.filename)
    there = _contents(out)
    assert all(name == 'index.json' or name.startswith('crops-') for name in there)
    build_crop_cache(cfg, out, _RAW, _COMMAND)
    assert _contents(out) == _contents(tmp_path / 'other')
    assert there.items() <= _contents(out).items()


def _contents_of(cfg: Config, out: Path) -> list[bytes]:
    build_crop_cache(cfg, out, _RAW, _COMMAND)
    return list(_contents(out).values())


@pytest.fixture
def own(drawn: Callable, tmp_path: Path) -> tuple[Config, Path]:
    """Data that may be changed, and the cache of them."""
    root = tmp_path / 'data'
    cfg = Config(drawn('coco').to_dict())
    source = Path(cfg.train_dataloader.dataset.data_root)
    for name in ('annotations/train.json', *(f'train/{path.name}' for path in (source / 'train').iterdir())):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((source / name).read_bytes())
    cfg.train_dataloader.dataset.data_root = f'{root}/'
    build_crop_cache(cfg, tmp_path / 'crops', _RAW, _COMMAND)
    return cfg, tmp_path / 'crops'


def _refusal(cfg: Config, out: Path, kind: type[Exception] = DataError, split: str = 'train') -> str:
    with pytest.raises(kind) as caught:
        check_crop_caches(_cached(cfg, out), [split])
    assert '\n' not in str(caught.value)
    return str(caught.value)


def test_more_shards_than_a_process_may_have_files(
    own: tuple[Config, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cfg, _ = own
    monkeypatch.setattr(building, '_PEOPLE', 1)
    built = build_crop_cache(cfg, tmp_path / 'many', _RAW, _COMMAND)
    cache = CropCache(tmp_path / 'many')
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as filled:  # every number below the limit, so that one is free
        gc.collect()
        top, last = max(map(int, os.listdir('/proc/self/fd'))), 0
        while last <= top:
            last = filled.enter_context(open('/dev/null')).fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (last + 2, limits[1]))
        try:
            cache.check_shards()
            sums = [int(cache.crop(at).sum()) for at in range(len(cache))]
            resource.setrlimit(resource.RLIMIT_NOFILE, (last, limits[1]))
            for fails in (lambda: CropCache(tmp_path / 'many'), cache.check_shards):
                with pytest.raises(OSError, match='Too many open files'):  # which is no damage
                    fails()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert built.shards == len(sums) > 2 and min(sums) > 0
    with pytest.raises(ValueError, match='read-only'):
        cache.crop(0)[:] = 0


def test_damaged_shards_are_found_and_made_anew(own: tuple[Config, Path], small_shards: None) -> None:
    cfg, out = own
    (out / 'index.safetensors').unlink()
    build_crop_cache(cfg, out, _RAW, _COMMAND)  # in small shards
    right = _contents(out)
    paths = sorted(out.glob('crops-*'))
    content = bytearray(right[paths[0].name])
    content[len(content) // 2] ^= 1  # which a training does not see, but the same build
    paths[0].write_bytes(content)
    check_crop_caches(_cached(cfg, out), ['train'])
    paths[1].write_bytes(right[paths[1].name][:-100])
    paths[2].unlink()
    assert f'{paths[1].name} is missing or damaged: make it anew by {_TOOL} CONFIG --out {out} ' in _refusal(cfg, out)
    built = build_crop_cache(cfg, out, _RAW, _COMMAND)
    assert built.shards - built.kept == 3
    assert _contents(out) == right
    paths[0].write_bytes(right[paths[1].name])
    assert f'{paths[0].name} is of another cache' in _refusal(cfg, out)


def test_a_crop_that_is_no_picture_any_more_is_named(own: tuple[Config, Path], tmp_path: Path) -> None:
    cfg, _ = own
    build_crop_cache(cfg, out := tmp_path / 'jpeg', Storing('jpeg'), _COMMAND)
    path = next(out.glob('crops-*'))
    content = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], 'little')
    content[start + 1000 :] = bytes(len(content) - start - 1000)
    path.write_bytes(content)
    cache = CropCache(out)
    with pytest.raises(DataError, match=rf'{path.name} is damaged, crop \d+ of it is no picture: make it anew by '):
        for at in range(len(cache)):
            cache.crop(at)


def test_older_annotations_are_told_by_hash(own: tuple[Config, Path]) -> None:
    cfg, out = own
    file = Path(cfg.train_dataloader.dataset.data_root) / 'annotations/train.json'
    content = json.loads(file.read_text())
    moved, gone = [each for each in content['annotations'] if each['num_keypoints'] and not each['iscrowd']][:2]
    moved['bbox'] = [0, 0, 320, 240]
    gone['id'] = 987654
    file.write_text(json.dumps(content))
    before = sha256_of(file)
    message = _refusal(cfg, out)
    assert (
        f'has the hash {before[:12]}, it was made of ' in message
        and f'make it anew by {_TOOL} CONFIG --out {out} ' in message
    )
    assert f'the crop cache {out} is of older annotations: ' in message
    built, steps = _steps(cfg, out)
    people = {info['id']: info for info in map(built.get_data_info, range(len(built)))}
    with pytest.raises(DataError, match=f'annotation id {moved["id"]} on .* lies outside its crop in the cache'):
        steps[0](people[moved['id']])
    with pytest.raises(DataError, match='has no annotation id 987654 on .*of another data set or of older annotations'):
        steps[0](people[987654])
    assert build_crop_cache(cfg, out, _RAW, _COMMAND).kept == 0
    check_crop_caches(_cached(cfg, out), ['train'])


@pytest.mark.parametrize('name', ['coco', 'mpii'])
def test_a_cache_of_a_part_of_the_people_is_told_before_a_run(drawn: Callable, name: str, tmp_path: Path) -> None:
    cfg = Config(drawn(name).to_dict())
    part = Config(cfg.to_dict())
    part.train_dataloader.dataset.indices = 3
    build_crop_cache(part, tmp_path / 'crops', _RAW, _COMMAND)
    check_crop_caches(_cached(part, tmp_path / 'crops'), ['train'])
    message = _refusal(cfg, tmp_path / 'crops')
    people, _ = _steps(cfg)
    assert f'lacks {len(people) - 3} of {len(people)} people of {people.ann_file} (first: annotation id ' in message
    assert f'id {people.get_data_info(3)["id"]} on {people.get_data_info(3)["img_path"]}), since' in message
    build_crop_cache(cfg, tmp_path / 'crops', _RAW, _COMMAND)
    for each in (cfg, part):
        check_crop_caches(_cached(each, tmp_path / 'crops'), ['train'])


def test_changed_pictures_are_named(own: tuple[Config, Path], small_shards: None) -> None:
    cfg, out = own
    picture = sorted((Path(cfg.train_dataloader.dataset.data_root) / 'train').iterdir())[0]
    content = picture.read_bytes()
    picture.write_bytes(content)  # another time, the same content: a copy
    check_crop_caches(_cached(cfg, out), ['train'])
    picture.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert f'1 image(s) below {picture.parent}' in (message := _refusal(cfg, out)) and picture.name in message
    picture.write_bytes(cv2.imencode('.jpg', np.zeros((240, 320, 3), np.uint8))[1].tobytes())
    assert picture.name in _refusal(cfg, out)
    build_crop_cache(cfg, out, _RAW, _COMMAND)
    check_crop_caches(_cached(cfg, out), ['train'])
    _same(_differences(_crops(cfg, out), _crops(cfg)))


@pytest.mark.parametrize('name', ['coco', 'mpii', 'crowdpose'])
def test_absent_pictures_are_no_fault_where_crops_are_read(drawn: Callable, name: str, tmp_path: Path) -> None:
    cfg = Config(drawn(name).to_dict())
    cfg.train_dataloader.dataset.data_prefix = dict(img='none/')
    cached = _cached(cfg, tmp_path)
    check_datasets(cached, ['train'])
    for check in (lambda: check_datasets(cfg, ['train']), lambda: check_data_to_cut(cached)):
        with pytest.raises(DataError, match='the image folder .*none/ is missing'):
            check()
    assert cached.train_dataloader.dataset.pipeline[0]['type'] == 'LoadCachedCrop'


def test_other_steps_and_evaluations_are_refused(own: tuple[Config, Path]) -> None:
    cfg, out = own
    wider = Config(cfg.to_dict())
    wider.train_dataloader.dataset.pipeline[1]['padding'] = 2.0
    message = _refusal(wider, out, ConfigError)
    assert 'GetBBoxCenterScale(padding=1.25) there, GetBBoxCenterScale(padding=2.0) in the config' in message
    wrong = Config(cfg.to_dict())
    wrong.val_dataloader.dataset.pipeline[0] = dict(type='LoadCachedCrop', cache=str(out))
    assert 'val_dataloader loads from a crop cache' in _refusal(wrong, out, ConfigError, 'val')
    assert f'{out.parent} is no crop cache' in _refusal(cfg, out.parent)
    assert f'is a file, and a crop cache is a folder: name {out}' in _refusal(cfg, out / 'index.safetensors')
    for nothing in (None, ''):
        bad = _cached(cfg, out)
        bad.train_dataloader.dataset.pipeline[0]['cache'] = nothing
        with pytest.raises(ConfigError, match=f"LoadCachedCrop's cache is {nothing!r}: name the folder"):
            check_crop_caches(bad, ['train'])


def test_a_cache_that_no_training_step_loads_from_is_refused(own: tuple[Config, Path]) -> None:
    cfg, out = own
    cfg = Config(cfg.to_dict())
    cfg.load_step = dict(type='LoadCachedCrop', cache=str(out))
    with pytest.raises(ConfigError, match=rf"load_step names the crop cache {out}, but .* begin with '\$.load_step.'"):
        check_crop_caches(cfg, ['train'])
    check_crop_caches(cfg, ['val'])


@pytest.mark.parametrize(
    'path',
    sorted(
        path
        for method in ('simple_baseline', 'ikd', 'rle', 'sdpose', 'tokenpose', 'ppt', 'dppt', 'distilpose')
        for path in (_ROOT / 'configs' / method).glob('*/*.py')
        if 'mpii-test' not in path.name  # which has no training
    ),
    ids=lambda path: path.stem,
)
def test_load_step_reaches_the_training_of_every_method(path: Path) -> None:
    cfg = read_config(path, {'load_step': dict(type='LoadCachedCrop', cache='crops')})
    assert reads_crops(cfg, 'crops')
    assert not reads_crops(read_config(path), 'crops')


def test_other_caches_are_not_overwritten_unasked(own: tuple[Config, Path], drawn: Callable, tmp_path: Path) -> None:
    cfg, out = own
    before = _contents(out)
    with pytest.raises(DataError, match='stored otherwise .*format=raw.*not format=jpeg.*--overwrite'):
        build_crop_cache(cfg, out, Storing('jpeg'), _COMMAND)
    with pytest.raises(DataError, match=r'of other data \(.*train.json, not .*mmpose_crowdpose_trainval.json\)'):
        build_crop_cache(drawn('crowdpose'), out, _RAW, _COMMAND)
    with pytest.raises(DataError, match=r'holds something else \(a.txt\): name another folder'):
        (tmp_path / 'full').mkdir()
        (tmp_path / 'full/a.txt').write_text('mine')
        build_crop_cache(cfg, tmp_path / 'full', _RAW, _COMMAND)
    assert _contents(out) == before
    build_crop_cache(cfg, out, Storing('jpeg'), _COMMAND, overwrite=True)
    assert CropCache(out).about['recipe']['format'] == 'jpeg'


def test_unfinished_caches_are_not_overwritten_unasked(own: tuple[Config, Path], drawn: Callable) -> None:
    cfg, out = own
    (out / 'index.safetensors').unlink()
    before = _contents(out)
    with pytest.raises(DataError, match='stored otherwise .*format=raw.*not format=jpeg.*--overwrite'):
        build_crop_cache(cfg, out, Storing('jpeg'), _COMMAND)
    other = Config(drawn('coco').to_dict())  # a file of the same name in another folder
    file = Path(other.train_dataloader.dataset.data_root) / 'annotations/other/train.json'
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(json.loads((file.parents[1] / 'train.json').read_text()), indent=1))
    other.train_dataloader.dataset.ann_file = 'annotations/other/train.json'
    with pytest.raises(DataError, match=rf'{out} holds a crop cache of other data \(.*/train.json, not {file}\)'):
        build_crop_cache(other, out, _RAW, _COMMAND)
    (out / 'index.json').rename(out.parent / 'note')
    with pytest.raises(DataError, match='holds crops of which nothing says what they are of: name another folder, or'):
        build_crop_cache(cfg, out, _RAW, _COMMAND)
    assert _contents(out).items() <= before.items()
    assert build_crop_cache(cfg, out, _RAW, _COMMAND, overwrite=True).kept == 1
    assert 'train.json' in (out / 'index.json').read_text()


def test_the_command_that_is_told_makes_the_cache_of_the_config(own: tuple[Config, Path], drawn: Callable) -> None:
    cfg, out = own
    jpeg, command = out.parent / 'jpeg', f'{_TOOL} CONFIG --out DIR --format jpeg --quality 90 '
    build_crop_cache(cfg, jpeg, Storing('jpeg', 90), _COMMAND)
    message = _refusal(drawn('crowdpose'), jpeg)
    assert f'the crop cache {jpeg} is of another data set: ' in message
    assert f'make one in another folder by {command}(and the --cfg-options of this run' in message
    next(jpeg.glob('crops-*')).unlink()
    assert command in _refusal(drawn('crowdpose'), jpeg)
    assert f'missing or damaged: make it anew by {command.replace("DIR", str(jpeg))}' in _refusal(cfg, jpeg)


def test_what_cannot_be_cut_is_named(own: tuple[Config, Path], tmp_path: Path) -> None:
    cfg, _ = own
    bad = Config(cfg.to_dict())
    bad.train_dataloader.dataset.data_mode = 'bottomup'
    with pytest.raises(ConfigError, match='must be top-down'):
        build_crop_cache(bad, tmp_path / 'b', _RAW, _COMMAND)
    bad = Config(cfg.to_dict())
    bad.train_dataloader.dataset.pipeline.pop(0)
    with pytest.raises(ConfigError, match='begins with GetBBoxCenterScale, not with one of LoadCachedCrop'):
        build_crop_cache(bad, tmp_path / 'b', _RAW, _COMMAND)
    for option, form in (
        (dict(to_float32=True), r'float32 \(240, 320, 3\)'),
        (dict(color_type='grayscale'), r'uint8 \(240,'),
    ):
        bad = Config(cfg.to_dict())
        bad.train_dataloader.dataset.pipeline[0].update(option)
        with pytest.raises(ConfigError, match=f'as {form}.*leave to_float32 and color_type out of the loading step'):
            build_crop_cache(bad, tmp_path / 'b', _RAW, _COMMAND)
    twice = Config(cfg.to_dict())
    one = twice.train_dataloader.dataset
    twice.train_dataloader.dataset = dict(type='CombinedDataset', metainfo={}, datasets=[one, one], pipeline=[])
    with pytest.raises(DataError, match='two people have the annotation id'):
        build_crop_cache(twice, tmp_path / 'b', _RAW, _COMMAND)
    picture = sorted((Path(cfg.train_dataloader.dataset.data_root) / 'train').iterdir())[0]
    picture.unlink()
    with pytest.raises(DataError, match=f'image .*{picture.name} is missing'):
        build_crop_cache(cfg, tmp_path / 'b', _RAW, _COMMAND, workers=2)


def test_a_loading_step_travels_to_workers_without_its_open_files(own: tuple[Config, Path]) -> None:
    cfg, out = own
    built, steps = _steps(cfg, out)
    steps[0](built.get_data_info(0))
    assert isinstance(steps[0], LoadCachedCrop) and steps[0].__getstate__() == {'cache': str(out), '_opened': None}
