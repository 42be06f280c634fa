"""The package of a user's own, as its README tells it: written from there, trained and tested by the tools."""

import csv
import json
import re
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sdpose.models.pruners import BasePruner, TokenPruner
from sdpose.structures import Attended, TokenSet

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

PAGE = Path(__file__).parents[2] / 'configs/custom_project/README.md'
FILES = re.findall(r'```python\n# (\S+)\n(.*?)```', PAGE.read_text(), re.DOTALL)


@pytest.fixture
def project(tmp_path: Path, repo_root: Path, stick_people: Path) -> Path:
    """The files of the page, and the stick people as its tables."""
    for name, text in FILES:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.replace('SDPOSE', str(repo_root)))
    images = tmp_path / 'data/table/images'
    images.mkdir(parents=True)
    for split in ('train', 'val'):
        content = json.loads((stick_people / f'coco/annotations/person_keypoints_{split}2017.json').read_text())
        names = {image['id']: f'{split}_{image["file_name"]}' for image in content['images']}
        for image in content['images']:
            shutil.copy(stick_people / f'coco/{split}2017' / image['file_name'], images / names[image['id']])
        with open(tmp_path / f'data/table/{split}.csv', 'w', newline='') as file:
            for person in content['annotations']:
                joints = [min(v, 1) if place % 3 == 2 else v for place, v in enumerate(person['keypoints'])]
                csv.writer(file).writerow([names[person['image_id']], *joints])
    return tmp_path


def test_the_page_trains_and_is_tested(project: Path, run_tool: Callable, tool_env: dict) -> None:
    env = {'PYTHONPATH': f'{project}:{tool_env["PYTHONPATH"]}'}
    loaders = ('train_dataloader.num_workers=0', 'val_dataloader.num_workers=0', 'test_dataloader.num_workers=0')
    options = ['train_cfg.max_epochs=2', 'train_cfg.val_interval=2', 'default_hooks.logger.interval=1', *loaders]
    done = run_tool('tools/train.py', 'my_sdpose.py', '--cfg-options', *options, cwd=project, env=env, check=True)
    output = done.stdout + done.stderr
    assert re.search(r'loss_cosine: 0\.\d*[1-9]', output) and 'loss_query' in output and 'PCK: ' in output
    state = torch.load(project / 'work_dirs/my_sdpose/epoch_2.pth', weights_only=False)['state_dict']
    assert not any(key.startswith('distiller.') for key in state)
    done = run_tool(
        'tools/test.py',
        'my_sdpose.py',
        'work_dirs/my_sdpose/epoch_2.pth',
        '--cfg-options',
        *loaders,
        cwd=project,
        env=env,
        check=True,
    )
    assert 'PCK: ' in done.stdout + done.stderr
    (project / 'data/table/train.csv').rename(project / 'data/table/other.csv')
    missing = run_tool('tools/train.py', 'my_sdpose.py', cwd=project, env=env)
    assert missing.returncode == 2 and 'error: the annotation file data/table/train.csv is missing' in missing.stderr
    for argument, said in (
        ('keep_ration=1', "model.neck.pruner: NormPruner has no argument 'keep_ration'; did you mean 'keep_ratio'?"),
        ("keep_ratio='half'", "model.neck.pruner.keep_ratio must be a number for NormPruner, not 'half'"),
    ):
        (project / 'wrong.py').write_text(
            f"_base_ = 'my_sdpose.py'\nmodel = dict(neck=dict(pruner=dict({argument})))\n"
        )
        mistake = run_tool('tools/train.py', 'wrong.py', cwd=project, env=env)
        assert mistake.returncode == 2 and f'error: {said}' in mistake.stderr


def test_the_kernel_of_the_page() -> None:
    """Its values are those of the best fitting key, and every weight gets a gradient."""
    from mmpose.registry import MODELS

    try:
        scope: dict = {}
        exec(dict(FILES)['kernel.py'], scope)
        torch.manual_seed(0)
        attention = MODELS.build(dict(type='NearestAttention', dim=8, num_heads=2))
    finally:
        MODELS._module_dict.pop('NearestAttention', None)
    q, k, v = torch.randn(3, 1, 2, 5, 4).unbind(0)
    best = (q @ k.transpose(-2, -1)).argmax(-1)  # (1, 2, 5)
    expected = v.gather(2, best[..., None].expand(-1, -1, -1, 4))
    torch.testing.assert_close(attention.compute(q, k, v, 0)[0], expected)
    attended = attention(torch.randn(2, 5, 8), num_rows=3)
    assert attended.weights.shape == (2, 2, 3, 5)
    attended.update.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in attention.parameters())


def test_the_methods_of_the_recipes() -> None:
    """A constructor for any part, and a score and a reduction that prune."""
    methods = re.findall(r'```python\n(def .*?)```', PAGE.read_text(), re.DOTALL)
    assert len(methods) == 2
    scope: dict = dict(torch=torch, BasePruner=BasePruner)
    exec('class Part(BasePruner):\n' + textwrap.indent('\n'.join(methods), '    '), scope)
    with pytest.raises(ValueError, match='power must be positive, got -1'):
        scope['Part'](power=-1)
    pruner, taken = scope['Part'](power=3, layers=(0,), keep_ratio=0.5), TokenPruner(layers=(0,), keep_ratio=0.5)
    weights = torch.rand(2, 3, 4, 4 + 10).softmax(-1)
    tokens = TokenSet(torch.randn(2, 4 + 10, 8), num_queries=4)
    left, expected = (each(tokens, Attended(tokens.sequence, weights, weights)) for each in (pruner, taken))
    assert torch.equal(left.kept, expected.kept) and pruner.power == 3
    dropped = tokens.visual.sum(1) - expected.visual.sum(1)  # (B, D)
    torch.testing.assert_close(left.visual, expected.visual + dropped[:, None] / 10)
