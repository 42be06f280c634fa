"""What a model is fed, on a page: the joints lie where the crop has them, and the same seed gives the same page."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdpose.apis import browsing
from sdpose.apis.browsing import browse_dataset
from sdpose.config.load import load_config
from sdpose.datasets.crop_cache.build import Storing, build_crop_cache
from sdpose.errors import ConfigError, DataError, UserError
from sdpose.synthetic.shapes.generate import ShapesRequest, generate_shapes

_CONFIG = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


@pytest.fixture
def here(quick_start_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(quick_start_folder)
    return quick_start_folder


def test_a_row_is_a_sample(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    draw = browsing.draw_panel
    monkeypatch.setattr(
        browsing,
        'draw_panel',
        lambda image, window, people, *rest: seen.append((image, people, rest)) or draw(image, window, people, *rest),
    )
    browse_dataset(_CONFIG, 'page.png', count=3, times=2)
    page = cv2.imread('page.png')
    assert page.shape[1] == 5 * 306 + 6 and page.shape[0] > 3 * 300 and len(seen) == 3 * 5
    for place in range(0, 15, 5):
        original, one, target, two, _ = seen[place : place + 5]
        assert one[0].shape == (64, 48, 3) and one[0].tolist() != two[0].tolist()  # fresh randomness
        assert target[2][1] == 'target: maximum of 17 heatmaps 12x16'
        joints = one[1][0]
        assert joints.shape == (17, 3) and original[1][0].shape == (17, 3)
        assert target[2][1] == 'target: maximum of 17 heatmaps 12x16'
        # The target is brightest at the joints: turbo's red where a joint lies, dark blue in the farthest corner.
        labelled = joints[(joints[:, 2] > 0) & (joints[:, 0] > 2) & (joints[:, 0] < 45) & (joints[:, 1] > 2)]
        x, y = labelled[labelled[:, 1] < 61][0, :2].round().astype(int)
        added = target[0].astype(int) - np.rint(0.45 * one[0]).astype(int)  # BGR of the map
        assert added[y, x, 2] > added[y, x, 0]


def test_the_same_seed_gives_the_same_page(here: Path) -> None:
    pages = []
    for seed in (1, 1, 2):
        browse_dataset(_CONFIG, 'page.png', count=1, times=1, seed=seed)
        pages.append(Path('page.png').read_bytes())
    assert pages[0] == pages[1] != pages[2]


def test_what_is_left_to_the_preprocessor_is_shown(here: Path) -> None:
    pages = []
    for affine, target in (('DeferredAffine', 'DeferredTarget'), ('TopdownAffine', 'GenerateTarget')):
        options = {'affine_step': affine, 'target_step': target}
        browse_dataset(_CONFIG, 'page.png', count=2, times=2, cfg_options=options)
        pages.append(cv2.imread('page.png').astype(int))
    assert abs(pages[0] - pages[1]).max() <= 8  # a level of a map or a crop, after scaling and colors


def test_regression_test_data_and_classes(here: Path) -> None:
    browse_dataset('sdpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48', 'reg.png', count=1, times=1)
    browse_dataset(_CONFIG, 'test.png', split='test', count=2, times=1)
    assert cv2.imread('test.png').shape[1] == 3 * 306 + 6
    generate_shapes(here / 'data/shapes', ShapesRequest(2, 1, 0, (48, 48)))
    browse_dataset('sdpose-deit-mini_1xb64-30e_shapes-40x40', 'classes.png', count=3, times=2)
    assert cv2.imread('classes.png').shape[1] == 3 * 306 + 6


def test_bad_input_is_named(here: Path) -> None:
    with pytest.raises(UserError, match='--count 0: give 1 to 200'):
        browse_dataset(_CONFIG, 'page.png', count=0)
    with pytest.raises(ConfigError, match='has no train_dataloader'):
        browse_dataset(_CONFIG, 'page.png', cfg_options=dict(train_dataloader=None))
    with pytest.raises(DataError, match='gone'):
        browse_dataset(_CONFIG, 'page.png', cfg_options=dict(data_root='gone/'))
    assert not Path('page.png').exists()


def test_an_outdated_crop_cache_is_named(here: Path) -> None:
    cfg = load_config(_CONFIG)
    build_crop_cache(cfg, here / 'crops', Storing(), 'COMMAND')
    options = {'load_step.type': 'LoadCachedCrop', 'load_step.cache': str(here / 'crops')}
    assert browse_dataset(_CONFIG, here / 'page.png', count=1, times=1, cfg_options=options).is_file()
    file = Path(cfg.data_root) / cfg.train_dataloader.dataset.ann_file
    content = file.read_text()
    file.unlink()  # a link, maybe
    file.write_text(content + ' ')
    with pytest.raises(DataError, match=f'the crop cache {here / "crops"} is of older annotations'):
        browse_dataset(_CONFIG, here / 'page.png', count=1, times=1, cfg_options=options)


def test_the_tool(here: Path, run_tool: Callable) -> None:
    options = ['--count', 2, '--times', 1]
    done = run_tool('tools/misc/browse_dataset.py', _CONFIG, 'page.png', *options, cwd=here, check=True)
    assert 'page.png: in each row the annotated picture' in done.stdout
    assert cv2.imread(str(here / 'page.png')).shape[1] == 3 * 306 + 6
