"""The shares of the loss terms in the log of a real training."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

TERMS = ['kpt_cycle1', 'kpt_cycle2', 'query', 'visual']


def _scalars(trained: SimpleNamespace) -> list[dict]:
    lines = next(trained.run.glob('*/vis_data/scalars.json')).read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if 'loss' in entry]


def test_every_logged_step_has_its_shares(trained: SimpleNamespace) -> None:
    entries = _scalars(trained)
    assert len(entries) == 120
    for entry in entries:
        shares = [entry[f'share_{term}'] for term in TERMS]
        assert sum(shares) == pytest.approx(1)
        assert shares == pytest.approx([entry[f'loss_{term}'] / entry['loss'] for term in TERMS], rel=1e-4)
    in_text = re.findall(r'Epoch\(train\).*share_query: (\S+)  share_visual: (\S+)$', trained.log, re.MULTILINE)
    assert len(in_text) == 120
    assert np.allclose(np.array(in_text, float)[:, 0], [entry['share_query'] for entry in entries], rtol=5e-3)


def test_small_terms_keep_their_digits(trained: SimpleNamespace) -> None:
    printed = re.findall(r'Epoch\(train\).* loss_query: (\S+)', trained.log)
    logged = [entry['loss_query'] for entry in _scalars(trained)]
    assert max(logged) < 1e-6  # 0.000000 with six decimals
    assert np.allclose(np.array(printed, float), logged, rtol=5e-3)


def test_first_steps_in_one_line(trained: SimpleNamespace) -> None:
    (line,) = re.findall(r'share of the loss, steps 1 to 50: (.*)', trained.log)
    assert re.fullmatch(', '.join(rf'loss_{term} [\d.e-]+ %' for term in TERMS), line)
    # MMEngine's means over the window of 50 steps end at the same step.
    entry = _scalars(trained)[49]
    shares = [float(value) for value in re.findall(r'([\d.e-]+) %', line)]
    expected = [100 * entry[f'share_{term}'] for term in TERMS]
    assert np.allclose(shares[:2], expected[:2], atol=0.06)
    assert np.allclose(shares[2:], expected[2:], rtol=0.06)
