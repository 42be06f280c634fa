"""tools/visualization as a user runs it: pictures, the numbers behind them, and one line for what is wrong."""

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from sdpose.config.building import build_model
from sdpose.config.load import load_config

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

_TEACHER = 'tokenpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


@pytest.fixture(scope='module')
def folder(stick_people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a drawn picture and new checkpoints of some of the quick start's models."""
    folder = tmp_path_factory.mktemp('look')
    (folder / 'person.jpg').write_bytes(next((stick_people / 'coco/val2017').glob('*.jpg')).read_bytes())
    for name in ('sdpose', 'ppt', 'distilpose', 'tokenpose'):
        torch.manual_seed(0)
        model = build_model(load_config(f'{name}-tiny_stemnet_1xb32-30e_synthetic-64x48').model)
        if name != 'distilpose':
            model.init_weights()
        torch.save(dict(state_dict=model.state_dict(), meta={}), folder / f'{name}.pth')
    return folder


@pytest.mark.parametrize(
    'tool, model, options, array, shape',
    [
        ('patch_attention', 'sdpose', ['--joint', 'left_wrist'], 'attention', (2, 1, 4, 17, 8, 6)),
        pytest.param('joint_attention', 'sdpose', [], 'attention', (2, 1, 4, 17, 17), marks=pytest.mark.long),
        ('pruned_patches', 'ppt', [], 'cycle1', (3, 8, 6)),
        pytest.param('compare_cycles', 'sdpose', [], 'keypoints', (2, 17, 3), marks=pytest.mark.long),
        ('compare_teacher', 'distilpose', ['--teacher', 'tokenpose.pth'], 'keypoints', (2, 17, 3)),
    ],
)
def test_a_tool_writes_a_picture_and_its_numbers(
    tool: str,
    model: str,
    options: list[str],
    array: str,
    shape: tuple,
    folder: Path,
    tmp_path: Path,
    run_tool: Callable,
) -> None:
    config = f'{model}-tiny_stemnet_1xb32-30e_synthetic-64x48'
    boxes = ['--bbox', 10, 5, 60, 80, '--bbox', 20, 5, 60, 80]
    arguments = [config, f'{model}.pth', 'person.jpg', *options, *boxes, '--out', tmp_path / 'out']
    done = run_tool(f'tools/visualization/{tool}.py', *arguments, cwd=folder, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith(str(tmp_path))]
    pictures = sorted((tmp_path / 'out').glob('*.png'))
    assert [line.split()[0] for line in lines] == [str(path) for path in pictures] and len(pictures) == 2
    assert pictures[0].name.startswith('person-box1-')
    picture = cv2.imread(str(pictures[0]))
    assert picture.shape[0] > 200 and picture.shape[1] > 400 and picture.std() > 20
    numbers = np.load(pictures[0].with_suffix('.npz'))
    assert numbers[array].shape == shape and 'Traceback' not in done.stderr
    for table in (tmp_path / 'out').glob('*.csv'):
        rows = list(csv.DictReader(table.open()))
        assert [row['joint'] for row in rows][:2] == ['nose', 'left_eye'] and len(rows) == 17


def test_parameters_and_complexity(folder: Path, tmp_path: Path, run_tool: Callable) -> None:
    config = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
    other = ['tokenpose.pth', '--other-config', _TEACHER]
    arguments = [config, 'sdpose.pth', *other, '--near-zero', 0.02, '--out', tmp_path]
    done = run_tool('tools/visualization/parameter_histogram.py', *arguments, cwd=folder, check=True)
    assert 'share of weights near zero' in done.stdout
    rows = list(csv.DictReader((tmp_path / f'{config}-parameters.csv').open()))
    weights = torch.load(folder / 'sdpose.pth')['state_dict']
    layer = torch.cat(
        [weights[key].flatten() for key in weights if key.startswith('head.mlp') and weights[key].ndim > 1]
    )
    row = next(row for row in rows if row['layer'] == 'head.mlp' and row['checkpoint'] == 'sdpose')
    assert float(row['near_zero']) == pytest.approx(float((layer.abs() <= 0.02).float().mean()), rel=1e-6)
    done = run_tool('tools/visualization/accuracy_against_complexity.py', '--out', tmp_path, check=True)
    assert 'models, 0 measured' in done.stdout and (tmp_path / 'coco-ap-complexity.png').exists()


def test_what_is_wrong_is_one_line_and_leaves_nothing(folder: Path, tmp_path: Path, run_tool: Callable) -> None:
    config = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
    common = [config, 'sdpose.pth', 'person.jpg', '--out', tmp_path / 'out']
    done = run_tool('tools/visualization/patch_attention.py', *common, '--joint', 'tail', cwd=folder)
    assert done.returncode == 2 and not list(tmp_path.iterdir())
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"error: 'tail' is no joint of {config}: choose one of nose, left_eye") and len(last) < 400
    done = run_tool('tools/visualization/pruned_patches.py', *common[:2], 'none.jpg', cwd=folder)
    assert done.returncode == 2 and 'error: image none.jpg is missing' in done.stderr
    done = run_tool('tools/visualization/parameter_histogram.py', config, 'sdpose.pth', '--other-config', config)
    assert done.returncode == 2 and '--other-config is the config of a second checkpoint' in done.stderr
