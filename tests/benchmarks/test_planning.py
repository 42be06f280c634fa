"""The plan of a training: its counts by hand, its arithmetic by hand, and what it refuses."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdpose.benchmarks.planning.cards import CARDS, Card
from sdpose.benchmarks.planning.command import Wish, plan_table
from sdpose.benchmarks.planning.plan import Loading, Step, estimated_step, plan
from sdpose.benchmarks.planning.schedule import Schedule, schedule
from sdpose.benchmarks.planning.step import StepCost, step_cost
from sdpose.config.load import load_config
from sdpose.errors import UserError

_ROOT = Path(__file__).parents[2]
_TOOL = _ROOT / 'tools/analysis_tools/plan_training.py'
_S_V1 = 'configs/sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-256x192.py'
_TINY = 'configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'
_CARD = Card(memory=16e9, bandwidth=1e12, peaks={'fp32': 20e12})
_COST = StepCost(flops=1e10, test_flops=2e9, traffic=7e8, kept=1e8, kernels=1000, fixed=2e8, parameters=5_000_000)
_LOADING = Loading(train_seconds=2e-3, test_seconds=1e-3, sample_bytes=1e5, worker_bytes=1e8)
_SCHEDULE = Schedule(
    batch=64, samples=64_000, epochs=10, validations=2, val_samples=5000, passes=2, workers=4, cached=False
)


def test_a_step_takes_what_is_slowest() -> None:
    # products: 1e10 * 64 / (20e12 * 0.5) = 64 ms; memory: 7e8 * 64 / (1e12 * 0.7) = 64 ms; launches 7 ms
    step = estimated_step(_COST, _CARD, 'fp32', 64, 1)
    assert step.seconds == pytest.approx(0.064)
    assert step.memory == pytest.approx(2e8 + 64e8 + 1.5e9)
    assert step.test_seconds == pytest.approx(2e-4)  # 2e9 / 10e12; memory: a fifth of 7e8 / 7e11
    assert 'launches' in estimated_step(_COST, _CARD, 'fp32', 4, 1).bound  # 4 ms of products
    assert estimated_step(_COST, _CARD, 'fp32', 4, 1).seconds == pytest.approx(7e-3)
    slow = estimated_step(_COST._replace(parameters=50_000_000), _CARD, 'fp32', 4, 2)
    assert slow.bound == 'gradients between cards'
    assert slow.seconds == pytest.approx(0.04)  # 2 * 4 * 5e7 / 10e9


def test_a_schedule_waits_for_the_model_or_for_the_loader() -> None:
    step = Step(seconds=0.064, memory=0, bound='products', test_seconds=2e-4)
    free = plan(step, _SCHEDULE, _LOADING, gpus=2, cores=None)
    assert (free.model_rate, free.rate, free.bound) == (pytest.approx(2000), pytest.approx(2000), 'products')
    assert (free.cores, free.workers) == (pytest.approx(4), 2)
    assert free.loader_bytes == pytest.approx(2 * (2 * 1e8 + 2 * 2 * 64 * 1e5))
    assert free.train_seconds == pytest.approx(10 * 64_000 / 2000)
    assert free.test_seconds == pytest.approx(2 * 5000 / (2 / (2 * 2e-4)))
    held = plan(step, _SCHEDULE, _LOADING, gpus=2, cores=2)
    assert (held.rate, held.bound, held.workers) == (pytest.approx(1000), 'the loader', 1)
    assert held.test_seconds == pytest.approx(2 * 5000 / 2000)  # two cores, 1 ms a box


def test_counts_of_sdpose_s() -> None:
    cost = step_cost(load_config(_S_V1), 'fp32')
    # Adam: weight, gradient and two moments of each parameter.
    assert cost.fixed == 16 * cost.parameters == 16 * 6_620_736
    assert cost.flops / cost.test_flops == pytest.approx(3 * 1.5768, rel=1e-3)  # two cycles, forward and backward
    assert 60e6 < cost.kept < 120e6
    half = step_cost(load_config(_S_V1), 'bf16')
    assert half.flops == cost.flops
    assert half.kept < 0.6 * cost.kept and half.traffic < 0.8 * cost.traffic


def test_a_teacher_is_counted() -> None:
    name = 'configs/quick_start/ikd-tiny_res18_1xb32-10e_synthetic-64x48.py'
    taught = load_config(name)
    alone = load_config(name)
    alone.model.pop('distiller')
    with_teacher, without = (step_cost(config, 'fp32') for config in (taught, alone))
    assert with_teacher.flops > without.flops and with_teacher.fixed > without.fixed
    assert with_teacher.kept == without.kept  # its pass keeps nothing


def test_the_papers_schedule_is_known_without_its_data() -> None:
    times = schedule(load_config(_S_V1))
    assert (times.samples, times.epochs, times.batch) == (149813, 300, 64)
    assert (times.validations, times.val_samples, times.passes) == (30, 104125, 2)


def _row(**changes: Any) -> dict[str, Any]:
    row = {'model': 'sdpose-s-v1', 'precision': 'bf16', 'batch': 32, 'images/s': 2000.0, 'peak MiB': 4096}
    return {**row, 'variant': 'SDPose, compile', **changes}


def test_what_was_measured_takes_the_estimates_place(tmp_path: Path) -> None:
    file = tmp_path / 'measured.json'
    slower = _row(variant='SDPose', **{'images/s': 1000.0})
    others = [_row(precision='fp32'), _row(variant='released way', **{'images/s': 9000.0}), _row(model='another')]
    file.write_text(json.dumps([{'rows': [slower, _row(), *others]}]))
    table, made = plan_table(load_config(_S_V1), Wish(gpus=2, kind=str(file), precision='bf16', loader='1.5'))
    assert made.model_rate == pytest.approx(4000)
    assert made.cores == pytest.approx(6)
    kept = step_cost(load_config(_S_V1), 'bf16').kept
    assert made.step.memory == pytest.approx(4 * 2**30 + 32 * kept)  # of 32 images more
    assert made.train_seconds == pytest.approx(300 * 149813 / 4000)
    values = {row['what']: row for row in table.rows}
    assert values['step']['value'] == '32.00 ms, bound by the model (SDPose, compile)'
    assert values['images/s, model']['from'] == 'measured'


@pytest.mark.parametrize(
    'wish, message',
    [
        (Wish(1, 'h300'), 'h300 is no known card; take one of v100'),
        (Wish(1, 't4', 'bf16'), 't4 has no bf16; it has fp32, fp16'),
        (Wish(0, 'h200'), '--gpus must be at least 1, not 0'),
        *(
            (Wish(1, 'h200', loader=loader), f'--loader {loader}: give milliseconds per sample')
            for loader in ('fast', 'nan', 'inf', '0', '-5')
        ),
        (Wish(1, 'none.json'), 'none.json is not a benchmark: there is no such file'),
    ],
)
def test_what_it_refuses(wish: Wish, message: str) -> None:
    config = load_config(_TINY, {'train_dataloader.dataset.ann_file': 'person_keypoints_train2017.json'})
    with pytest.raises(UserError, match=message.replace('.', r'\.')):
        plan_table(config, wish)


def test_unknown_data_ask_for_their_number(tmp_path: Path) -> None:
    def planned(**options: Any) -> Callable[[], Any]:
        config = load_config(_TINY, {'data_root': f'{tmp_path}/'})
        return lambda: plan_table(config, Wish(1, 'a100', **options))

    with pytest.raises(UserError, match='give --samples N'):
        planned()()
    assert planned(samples=1000)()[1].train_seconds > 0


def test_the_tool_prints_a_plan(tmp_path: Path) -> None:
    out = tmp_path / 'plan.json'
    command = [sys.executable, _TOOL, _S_V1, '--gpus', '8', '--kind', 'v100', '--precision', 'fp16', '--json', out]
    result = subprocess.run(command, capture_output=True, text=True, cwd=_ROOT, check=True)
    assert '149813 x 300 epochs = 44.9 M' in result.stdout
    assert 'nothing of it was measured on such a card' in result.stdout
    made = json.loads(out.read_text())
    assert made['model_rate'] == pytest.approx(8 * 64 / made['step']['seconds'])


def test_no_card_is_slower_in_fewer_bits() -> None:
    for name, card in CARDS.items():
        peaks = [card.peaks[precision] for precision in ('fp32', 'tf32', 'fp16') if precision in card.peaks]
        assert peaks == sorted(peaks), name
