"""The training log with every term's share of the loss, and with small terms legible."""

import re
from typing import Any

from mmengine.registry import LOG_PROCESSORS
from mmengine.runner import LogProcessor

from sdpose.engine.loss_shares import loss_shares, loss_terms


@LOG_PROCESSORS.register_module()
class LossLogProcessor(LogProcessor):
    """MMEngine's ``LogProcessor`` plus, for training, shares and small numbers.

    Whenever a line is logged, each term ``loss_x`` gets a scalar ``share_x``, its share of the loss over the same
    window of steps (see :func:`sdpose.engine.loss_shares.loss_shares`), in the line and in every visualizer backend. A
    term that some steps lack (of a random number of cycles) shows its mean over those that have it, and its share over
    all; one that no step since the last line had is left out. A loss too small for ``num_digits`` decimals is printed
    as 4.93e-06 instead of 0.000005. The values are those that MMEngine has copied from the device already. As
    everywhere in MMEngine's log, of several processes the first one shows its part of the batch.

    Args:
        *args: As for ``LogProcessor``.
        **kwargs: As for ``LogProcessor``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen: dict[str, int] = {}  # how many steps had each term at the last line

    def get_log_after_iter(self, runner: Any, batch_idx: int, mode: str) -> tuple[dict, str]:
        """The scalars and the text of one step's log."""
        tag, text = super().get_log_after_iter(runner, batch_idx, mode)
        if mode != 'train':
            return tag, text
        prefix = f'{mode}/' if self.log_with_hierarchy else ''
        values = {key.removeprefix(prefix): value for key, value in tag.items()}
        present = self._present(runner, loss_terms(values))
        for name in [name for name, part in present.items() if not part]:
            del tag[prefix + name]
            text = re.sub(rf'  {re.escape(name)}: \S+', '', text)
        terms = [name for name, part in present.items() if part]
        for name in ['loss', *terms]:
            if name in values:
                text = self._make_legible(text, name, values[name])
        shares = loss_shares({name: present[name] * float(values[name]) for name in terms})
        for name, share in shares.items():
            short = f'share_{name.removeprefix("loss_")}'
            tag[prefix + short] = share
            text += f'  {short}: {share:.3g}'
        return tag, text

    def _present(self, runner: Any, terms: list[str]) -> dict[str, float]:
        """In which part of the steps since the last line there was each term."""
        before, hub = self._seen, runner.message_hub
        self._seen = {name: len(hub.get_scalar(f'train/{name}').data[0]) for name in terms}
        new = {name: count - before.get(name, 0) for name, count in self._seen.items()}
        most = max(new.values(), default=0)
        return {name: count / most if most else 1.0 for name, count in new.items()}

    def _make_legible(self, text: str, name: str, value: float) -> str:
        """Replace a number that has lost its digits; three of them are enough."""
        if value == 0 or abs(value) >= 10 ** (2 - self.num_digits):
            return text
        printed = re.escape(f'{name}: {value:.{self.num_digits}f}')
        return re.sub(rf'(?<!\S){printed}(?!\S)', f'{name}: {value:.3g}', text)
