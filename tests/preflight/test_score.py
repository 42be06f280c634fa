"""A score that nothing trains is told before a training."""

import pytest

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.preflight import score

DISTILPOSE = 'quick_start/distilpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
PLAIN = 'quick_start/tokenpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48'
LIKELIHOOD = 'quick_start/sdpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48'
HEATMAPS = 'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


@pytest.mark.parametrize(
    'config, options, told',
    [
        (DISTILPOSE, {}, False),
        (DISTILPOSE, {'model.distiller': None}, True),
        (DISTILPOSE, {'model.distiller.terms.loss_score': None}, True),
        (PLAIN, {'model.head.mode': 'all'}, True),
        (PLAIN, {}, False),
        (LIKELIHOOD, {}, False),
        (HEATMAPS, {}, False),
    ],
)
def test_who_is_told(monkeypatch: pytest.MonkeyPatch, config: str, options: dict, told: bool) -> None:
    said = []
    monkeypatch.setattr(score, 'print_log', lambda message, *_: said.append(message))
    score.check_score(load_config(config, options), ('train',))
    assert len(said) == told
    if told:
        assert "nothing trains the score of model.head.mode='all'" in said[0] and "mode='xy'" in said[0]
