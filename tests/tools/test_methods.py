"""The methods beside SDPose's heatmaps, trained and tested from their tiny configs as a user does it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from sdpose.config.load import load_config

NAME = '{}-tiny_stemnet_1xb32-30e_synthetic-64x48'
# Twelve people in one batch: a step per epoch. The schedule's warm-up alone would be longer than these runs.
OPTIONS = [
    '--cfg-options',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    'param_scheduler=[]',
    'default_hooks.logger.interval=1',
]


def logged(output: str, name: str) -> list[float]:
    """The values of a logged scalar, step by step."""
    return [float(value) for value in re.findall(rf'Epoch\(train\).*? {name}: (-?[\d.]+(?:e-\d+)?)', output)]


@pytest.fixture
def train(quick_start_folder: Path, run_tool: Callable) -> Callable:
    """Runs ``tools/train.py`` and returns what it printed."""

    def run(config: str, *options: str) -> str:
        done = run_tool('tools/train.py', config, *OPTIONS, *options, cwd=quick_start_folder, check=True)
        output = done.stdout + done.stderr
        lines = [line for line in output.splitlines() if 'Build settings' not in line]
        told = [
            line for line in lines if not re.search('are exactly 0: no prediction fits', line)
        ]  # after so few steps
        assert not [line for line in told if re.search('warning|deprecat|Traceback', line, re.IGNORECASE)]
        return output

    return run


@pytest.fixture
def evaluate(quick_start_folder: Path, run_tool: Callable) -> Callable:
    """Runs ``tools/test.py`` and returns the COCO results it wrote."""

    def run(method: str, checkpoint: str) -> list[dict]:
        run_tool(
            'tools/test.py',
            f'configs/quick_start/{NAME.format(method)}.py',
            checkpoint,
            '--out',
            'results.json',
            *OPTIONS,
            cwd=quick_start_folder,
            check=True,
        )
        return json.loads((quick_start_folder / 'results.json').read_text())

    return run


@pytest.mark.long
def test_likelihood_regression(train: Callable, evaluate: Callable) -> None:
    name = NAME.format('sdpose-reg')
    output = train(f'configs/quick_start/{name}.py', 'train_cfg.max_epochs=30', 'train_cfg.val_interval=30')
    for cycle in ('loss_kpt_cycle1', 'loss_kpt_cycle2'):
        losses = logged(output, cycle)
        assert len(losses) == 30 and np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.5
    assert 'coco/AP: ' in output
    results = evaluate('sdpose-reg', f'work_dirs/{name}/epoch_30.pth')
    assert len(results) == 8
    for result in results:
        score = np.array(result['keypoints'])[2::3]
        assert 0 < score.min() and score.max() < 1  # 1 - sigma
        # bbox_rle: the box's score (1 for an annotated one) and the mean and the maximum over the joints.
        assert result['score'] == pytest.approx(1 + score.mean() + score.max(), abs=1e-5)


@pytest.mark.long
def test_pruning_is_annealed(train: Callable, quick_start_folder: Path) -> None:
    leaf = quick_start_folder / 'annealed.py'
    leaf.write_text(
        f"_base_ = '{Path(__file__).parents[2]}/configs/quick_start/{NAME.format('sdpose-ppt')}.py'\n"
        "custom_hooks = [dict(type='KeepRatioHook', start_epochs=2, anneal_epochs=4)]\n"
    )
    output = train('annealed.py', 'train_cfg.max_epochs=8', 'train_cfg.val_interval=8')
    # 0.7 + 0.15 (1 + cos(pi t / 4)) for t = 0..4
    assert logged(output, 'keep_ratio') == pytest.approx([1, 1, 1, 0.956066, 0.85, 0.743934, 0.7, 0.7], abs=1e-6)
    losses = logged(output, 'loss')
    assert len(losses) == 8 and losses[-1] < losses[0]
    assert 'coco/AP: ' in output


@pytest.mark.long
def test_a_teacher_that_was_trained_before(train: Callable, evaluate: Callable, quick_start_folder: Path) -> None:
    teacher, student = NAME.format('tokenpose'), NAME.format('distilpose')
    train(f'configs/quick_start/{teacher}.py', 'train_cfg.val_interval=30')
    weights = quick_start_folder / f'work_dirs/{teacher}/epoch_30.pth'  # where the student's config looks for it
    output = train(f'configs/quick_start/{student}.py', 'train_cfg.max_epochs=10', 'train_cfg.val_interval=10')
    assert f'teacher: configs/quick_start/{teacher}.py with work_dirs/{teacher}/epoch_30.pth, frozen' in output
    assert len(logged(output, 'loss_score')) == 10 and min(logged(output, 'loss_score')) > 0
    for name in ('loss', 'loss_kpt', 'loss_simulated'):
        losses = logged(output, name)
        assert len(losses) == 10 and losses[-1] < 0.9 * losses[0], name
    keys = torch.load(quick_start_folder / f'work_dirs/{student}/epoch_10.pth', weights_only=False)['state_dict']
    assert keys and not [key for key in keys if 'teacher' in key or 'distiller' in key]
    weights.unlink()
    assert len(evaluate('distilpose', f'work_dirs/{student}/epoch_10.pth')) == 8


@pytest.mark.long
def test_adapters_are_trained_and_not_published(train: Callable, quick_start_folder: Path, run_tool: Callable) -> None:
    name = '{}_res18_1xb32-10e_synthetic-64x48'
    teacher, student = name.format('simple-baseline-tiny'), name.format('ikd-tiny')
    config = f'configs/quick_start/{student}.py'
    weights = quick_start_folder / f'work_dirs/{teacher}/epoch_10.pth'
    weights.parent.mkdir(parents=True)
    init_default_scope('mmpose')
    torch.manual_seed(0)  # how far the loss falls depends on the teacher
    model = MODELS.build(load_config(f'configs/quick_start/{teacher}.py').model)
    torch.save(dict(state_dict=model.state_dict()), weights)
    output = train(config)
    for term in ('loss_logit', 'loss_feature', 'loss_deconv', 'loss_structure', 'loss_kpt'):
        assert len(logged(output, term)) == 10 and min(logged(output, term)) > 0, term
    assert logged(output, 'loss')[-1] < 0.8 * logged(output, 'loss')[0]
    weights.unlink()

    checkpoint = f'work_dirs/{student}/epoch_10.pth'
    done = run_tool(
        'tools/model_converters/publish_model.py', config, checkpoint, 'ikd', cwd=quick_start_folder, check=True
    )
    assert 'without 4 tensors that only training reads' in done.stdout and 'before and after: equal' in done.stdout
    adapters = {
        key
        for key in torch.load(quick_start_folder / checkpoint, weights_only=False)['state_dict']
        if key.startswith('distiller.')
    }
    assert len(adapters) == 4
    published = next(quick_start_folder.glob('ikd-*.pth'))
    assert not adapters & torch.load(published)['state_dict'].keys()
    figures = []
    for folder, file in (('trained', checkpoint), ('deployed', published.name)):
        run_tool('tools/test.py', config, file, '--work-dir', folder, *OPTIONS, cwd=quick_start_folder, check=True)
        figures.append(json.loads(next(quick_start_folder.glob(f'{folder}/*/metrics.json')).read_text())['metrics'])
    assert figures[0] == figures[1]
