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
    loss too small for ``num_digits`` decimals is printed as 4.93e-06 instead of 0.000005. The values are those that
    MMEngine has copied from the device already, and nothing is kept. As everywhere in MMEngine's log, of several
    processes the first one shows its part of the batch.

    Args:
        *args: As for ``LogProcessor``.
        **kwargs: As for ``LogProcessor``.
    """

    def get_log_after_iter(self, runner: Any, batch_idx: int, mode: str) -> tuple[dict, str]:
        """The scalars and the text of one step's log."""
        tag, text = super().get_log_after_iter(runner, batch_idx, mode)
        if mode != 'train':
            return tag, text
        prefix = f'{mode}/' if self.log_with_hierarchy else ''
        values = {key.removeprefix(prefix): value for key, value in tag.items()}
        terms = loss_terms(values)
        for name in ['loss', *terms]:
            if name in values:
                text = self._make_legible(text, name, values[name])
        shares = loss_shares({name: float(values[name]) for name in terms})
        for name, share in shares.items():
            short = f'share_{name.removeprefix("loss_")}'
            tag[prefix + short] = share
            text += f'  {short}: {share:.3g}'
        return tag, text

    def _make_legible(self, text: str, name: str, value: float) -> str:
        """Replace a number that has lost its digits; three of them are enough."""
        if value == 0 or abs(value) >= 10 ** (2 - self.num_digits):
            return text
        printed = re.escape(f'{name}: {value:.{self.num_digits}f}')
        return re.sub(rf'(?<!\S){printed}(?!\S)', f'{name}: {value:.3g}', text)
