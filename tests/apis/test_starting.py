"""From which weights a run starts, and which process looks after the files."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, ValLoop

from sdpose.apis import training
from sdpose.apis.training import _after_restart, _require_batches, _require_ends, _set_start
from sdpose.config import options
from sdpose.config.building import building
from sdpose.config.nodes import is_first_process
from sdpose.errors import CheckpointError, ConfigError, UserError
from sdpose.io.checkpoint import check_checkpoint_path


def _checkpoint(path: Path) -> str:
    torch.save({'state_dict': {'w': torch.zeros(1)}}, path)
    return str(path)


def test_resume_in_an_empty_folder_keeps_load_from(tmp_path: Path) -> None:
    start = _checkpoint(tmp_path / 'start.pth')
    (tmp_path / 'run').mkdir()
    cfg = Config(dict(work_dir=str(tmp_path / 'run'), load_from=start, train_cfg=dict(max_epochs=3)))
    _set_start(cfg, 'auto')
    assert (cfg.load_from, cfg.resume) == (start, False)
    newest = _checkpoint(tmp_path / 'run' / 'epoch_1.pth')
    _set_start(cfg, 'auto')
    assert (cfg.load_from, cfg.resume) == (newest, True)


def test_resume_from_a_named_checkpoint(tmp_path: Path) -> None:
    cfg = Config(dict(work_dir=str(tmp_path), train_cfg=dict(max_epochs=3)))
    _set_start(cfg, _checkpoint(tmp_path / 'a.pth'))
    assert cfg.resume and cfg.load_from.endswith('a.pth')


@pytest.mark.parametrize(
    'counter, launcher', [('TORCHELASTIC_RESTART_COUNT', 'pytorch'), ('SLURM_RESTART_COUNT', 'slurm')]
)
def test_a_restarted_run_takes_its_own_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counter: str, launcher: str
) -> None:
    cfg = Config(dict(work_dir=str(tmp_path), launcher=launcher))
    newest = _checkpoint(tmp_path / 'epoch_2.pth')
    monkeypatch.setenv(counter, '0')
    assert _after_restart(cfg, None) is None and _after_restart(cfg, 'a.pth') == 'a.pth'
    monkeypatch.setenv(counter, '1')
    assert _after_restart(cfg, None) == _after_restart(cfg, 'a.pth') == newest
    # Those of an earlier run in the same folder do not count.
    monkeypatch.setenv('SDPOSE_LAUNCHED', str(Path(newest).stat().st_mtime + 1))
    assert _after_restart(cfg, None) is None and _after_restart(cfg, 'a.pth') == 'a.pth'


def test_resume_in_a_config_is_the_option(tmp_path: Path) -> None:
    assert _after_restart(Config(dict(work_dir=str(tmp_path), launcher='none', resume=True)), None) == 'auto'


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a start logs."""
    lines: list[str] = []
    monkeypatch.setattr(training, 'print_log', lambda text, *args: lines.append(text))
    return lines


def test_a_new_run_among_the_checkpoints_of_another_is_said(tmp_path: Path, said: list[str]) -> None:
    cfg = Config(dict(work_dir=str(tmp_path), train_cfg=dict(by_epoch=True, max_epochs=4)))
    _set_start(cfg, None)
    assert not cfg.get('load_from') and said == []
    for number in (1, 2, 3, 4):
        _checkpoint(tmp_path / f'epoch_{number}.pth')
    _set_start(cfg, None)
    assert (
        'holds checkpoints of an earlier run (epoch_1.pth, epoch_2.pth, epoch_3.pth ...), and this one starts anew '
        'among them: --resume goes on' in said[0]
    ) and len(said) == 1


def test_resuming_a_finished_run_is_said(tmp_path: Path, said: list[str]) -> None:
    cfg = Config(dict(work_dir=str(tmp_path), train_cfg=dict(by_epoch=True, max_epochs=4)))
    _set_start(cfg, _checkpoint(tmp_path / 'epoch_3.pth'))
    assert said == []
    for number in (4, 5):
        _set_start(cfg, _checkpoint(tmp_path / f'epoch_{number}.pth'))
        assert said.pop().endswith('is the end of this training (train_cfg.max_epochs=4): nothing is left to train')


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='is a folder: name a .pth file in it'):
        check_checkpoint_path(str(tmp_path))


def test_an_address_that_cannot_be_reached_is_said_in_one_line() -> None:
    from mmengine.runner import CheckpointLoader

    with pytest.raises(CheckpointError, match='^http://127.0.0.1:9/x.pth cannot be fetched'):
        CheckpointLoader.load_checkpoint('http://127.0.0.1:9/x.pth')


@pytest.mark.parametrize(
    'launcher, rank, first', [('none', '1', True), ('pytorch', '1', False), ('pytorch', '0', True)]
)
def test_a_rank_counts_only_under_a_launcher(
    monkeypatch: pytest.MonkeyPatch, launcher: str, rank: str, first: bool
) -> None:
    monkeypatch.setenv('RANK', rank)
    assert is_first_process(Config(dict(launcher=launcher))) is first


def test_loaders_without_workers_persist_none() -> None:
    cfg = Config(
        dict(
            train_dataloader=dict(num_workers=0, persistent_workers=True),
            val_dataloader=dict(num_workers=2, persistent_workers=True),
        )
    )
    options._disable_persistent_workers(cfg)
    assert not cfg.train_dataloader.persistent_workers and cfg.val_dataloader.persistent_workers


def test_pipelines_of_mmpose_use_checked_loading_too() -> None:
    config = 'configs/simple_baseline/coco/simple-baseline_res50_8xb64-210e_coco-256x192.py'
    cfg = options.prepare(config)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert [step.type for step in loader.dataset.pipeline[:2]] == ['LoadCheckedImage', 'GetBBoxCenterScale']
    steps = [dict(type='LoadImage', to_float32=True), dict(type='PackPoseInputs')]
    cfg = Config(dict(train_dataloader=dict(dataset=dict(datasets=[dict(dataset=dict(pipeline=steps))]))))
    options._use_checked_loading(cfg)
    inner = cfg.train_dataloader.dataset.datasets[0].dataset.pipeline
    assert inner == [dict(type='LoadCheckedImage', to_float32=True), dict(type='PackPoseInputs')]


def test_arguments_that_a_foreign_class_refuses() -> None:
    for call in (
        lambda: torch.utils.data.DataLoader([1], batchsize=3),
        lambda: torch.optim.Adam([torch.zeros(1)], lr='abc'),
    ):
        with pytest.raises(ConfigError, match='(?s)batchsize|not supported between.*SDPOSE_TRACEBACK=1'), building():
            call()


def test_a_data_root_override_reaches_what_was_derived_from_it() -> None:
    config = 'configs/sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-256x192.py'
    cfg = options.prepare(config, cfg_options=dict(data_root='/elsewhere/coco'))
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.data_root == '/elsewhere/coco/'
    assert cfg.val_dataloader.dataset.bbox_file.startswith('/elsewhere/coco/person_detection_results/COCO_val2017')
    assert cfg.val_dataloader.dataset.ann_file == 'annotations/person_keypoints_val2017.json'


def test_data_that_make_no_batch_are_refused() -> None:
    def runner(samples: int) -> SimpleNamespace:
        loader = torch.utils.data.DataLoader(range(samples), batch_size=8, drop_last=True)
        return SimpleNamespace(train_dataloader=loader)

    _require_batches(runner(8))
    with pytest.raises(
        ConfigError,
        match='the 7 training samples per process are less than a batch of 8, .* set '
        'train_dataloader.batch_size to less',
    ):
        _require_batches(runner(7))


@pytest.mark.parametrize('split', ['train', 'val'])
def test_a_sampler_without_an_end_is_refused_where_an_epoch_is_to_end(split: str) -> None:
    def loop(kind: type, endless: bool) -> Any:
        made = kind.__new__(kind)
        made.dataloader = SimpleNamespace(sampler=InfiniteSampler([0]) if endless else None)
        return made

    def runner(kind: type) -> Any:
        return SimpleNamespace(train_loop=loop(kind, split == 'train'), val_loop=loop(ValLoop, split == 'val'))

    with pytest.raises(ConfigError, match=f'{split}_dataloader.sampler is an InfiniteSampler'):
        _require_ends(runner(EpochBasedTrainLoop))
    if split == 'train':
        _require_ends(runner(IterBasedTrainLoop))
