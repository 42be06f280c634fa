"""``benchmark.py train``: both ways compute the same, and what is counted is what is there."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sdpose.benchmarks.infer import subjects
from sdpose.benchmarks.train import command, kept, measure, steps
from sdpose.errors import UserError

TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
PLAIN = 'tokenpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
CPU = torch.device('cpu')


def test_a_table_is_written(run_tool: Callable, tmp_path: Path) -> None:
    options = ('--quick', '--checkpoint-cycles', '--channels-last', '--fused', '--json', tmp_path / 'b.json')
    done = run_tool('tools/analysis_tools/benchmark.py', 'train', TINY, *options, check=True)
    (table,) = json.loads((tmp_path / 'b.json').read_text())
    rows = {(row['variant'], row['precision']): row for row in table['rows']}
    names = [
        'released way',
        *(f'SDPose{option}' for option in ('', ', checkpoint cycles', ', channels last', ', fused')),
    ]
    assert set(rows) == {(name, precision) for name in names for precision in ('fp32', 'bf16')}
    for (name, precision), row in rows.items():
        assert row['ms'] > 0 and row['x released'] > 0 and row['kept MiB'] > 0
        if name != 'released way':
            assert float(row['difference']) <= (1e-5 if precision == 'fp32' else 2e-2)
    assert rows['released way', 'fp32']['of released'] == rows['released way', 'bf16']['x released'] == 1
    small = [rows[name, 'fp32']['of released'] for name in ('SDPose, checkpoint cycles', 'SDPose', 'released way')]
    assert small == sorted(small) and small[1] < 0.75
    assert 'GFLOP/s' in done.stdout and '| sdpose-tiny | fp32' in done.stdout


def test_the_compiled_step_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is measured before it: torch leaves out for good what it met while operators were counted."""
    torch.compiler.reset()
    compiled: list[int] = []

    def backend(graph: torch.fx.GraphModule, inputs: list) -> Callable:
        compiled.append(len(graph.graph.nodes))
        return graph

    monkeypatch.setattr(torch, 'compile', partial(torch.compile, backend=backend))
    plan = measure.Plan(CPU, 2, ('fp32',), ('compile',), False, 1, process_time)
    result = measure.measure(TINY, plan)
    assert set(result.times) == {('SDPose', 'fp32'), ('SDPose, compile', 'fp32')}
    assert list(result.kept) == [('SDPose', 'fp32')]
    assert len(compiled) == 2 and min(compiled) > 20  # all layers of a cycle in one graph


@pytest.mark.parametrize('config', [TINY, PLAIN])
def test_loss_and_gradients_of_both_ways_are_equal(config: str) -> None:
    subject = subjects.ours(config, None)
    assert steps.ReleasedWay.knows(subject.model)
    batch = steps.Batch(subject, 3, CPU)
    own, released = steps.OwnWay(subject, CPU), steps.ReleasedWay(subject, CPU)
    found = {}
    for name, way in dict(own=own, released=released).items():
        loss = way.loss(batch)
        loss.backward()
        gradients = {key.removeprefix('hand.'): each.grad for key, each in way.model.named_parameters()}
        found[name] = loss.item(), gradients
    assert found['own'][0] == pytest.approx(found['released'][0], rel=1e-5)
    assert found['own'][1].keys() == found['released'][1].keys()
    largest = max(each.abs().max().item() for each in found['own'][1].values())
    for key, gradient in found['own'][1].items():
        assert (gradient - found['released'][1][key]).abs().max() <= 1e-4 * largest, key


@pytest.mark.parametrize(
    'config', ['ppt-tiny_stemnet_1xb32-30e_synthetic-64x48', 'sdpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48']
)
def test_other_methods_have_no_baseline(config: str) -> None:
    assert not steps.ReleasedWay.knows(subjects.ours(config, None).model)


def test_a_step_moves_weights_and_reads_only_in_the_released_way() -> None:
    subject = subjects.ours(TINY, None)
    batch = steps.Batch(subject, 2, CPU)
    way = steps.OwnWay(subject, CPU)
    before = [each.detach().clone() for each in way.model.parameters()]
    steps.step_of(way, batch, 'bf16', fused=True)()
    assert all(not torch.equal(*pair) for pair in zip(before, way.model.parameters(), strict=True))
    assert all(each.dtype == torch.float32 for each in way.model.parameters())


def test_kept_bytes_by_hand() -> None:
    linear = torch.nn.Linear(8, 4, bias=False)

    def forward(batch: int) -> Callable[[], Any]:
        images = torch.ones(batch, 8)
        # exp keeps its output, 4 numbers of an image, in float32; the linear's output is gone, its input was there
        return lambda: linear(images).exp().sum()

    assert kept.kept_per_image(forward, lambda: iter(linear.parameters())) == 16
    # The linear keeps its input, 8 numbers, which is made here; the square keeps what exp keeps anyway.
    assert kept.kept_per_image(lambda n: lambda: linear(torch.ones(n, 8)).exp().square().sum(), linear.parameters) == 48


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(device='tpu'), '--device tpu: cpu, cuda or cuda:N'),
        (dict(device='meta'), '--device meta: cpu, cuda or cuda:N'),
        (dict(device='cuda:99'), r'--device cuda:99: torch sees \d+ GPUs; --device cpu runs here'),
        (dict(precisions=['fp16']), '--precisions fp16 needs a GPU .* a CPU has fp32 and bf16'),
    ],
)
def test_options_that_cannot_be(options: dict, message: str) -> None:
    given = {**dict(batch=1, rounds=1, threads=1, device='cpu', precisions=['fp32'], configs=[TINY]), **options}
    with pytest.raises(UserError, match=message):
        command.run(SimpleNamespace(**given))


def test_a_config_of_another_method(run_tool: Callable) -> None:
    done = run_tool('tools/analysis_tools/benchmark.py', 'train', 'ikd-tiny_res18_1xb32-10e_synthetic-64x48', '--quick')
    assert done.returncode == 2 and 'benchmark.py train compares SDPose and TokenPose' in done.stderr
    assert 'Traceback' not in done.stderr
