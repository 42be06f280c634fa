"""What cards can do at most, by their maker's data sheets (dense products), and the share of it that is assumed."""

from typing import NamedTuple

# What a well-fed card reaches of its peaks with PyTorch's kernels: guesses, so every number from them is marked.
PRODUCT_SHARE = 0.5
BANDWIDTH_SHARE = 0.7
LAUNCH_SECONDS = 7e-6  # of the host, for one kernel of a training that is not compiled
EXCHANGE_BYTES_PER_SECOND = 10e9  # gradients of two cards on one PCIe 4 board; NVLink is faster


class Card(NamedTuple):
    """A kind of card.

    Attributes:
        memory: Bytes.
        bandwidth: Bytes per second.
        peaks: FLOP per second of matrix products by precision.
    """

    memory: float
    bandwidth: float
    peaks: dict[str, float]


def _card(gib: float, gb_per_s: float, **teraflops: float) -> Card:
    return Card(gib * 2**30, gb_per_s * 1e9, {name: 1e12 * peak for name, peak in teraflops.items()})


CARDS = {
    'v100': _card(32, 900, fp32=15.7, fp16=125),
    't4': _card(16, 320, fp32=8.1, fp16=65),
    'rtx3090': _card(24, 936, fp32=35.6, tf32=35.6, fp16=71, bf16=71),
    'rtx4090': _card(24, 1008, fp32=82.6, tf32=82.6, fp16=165, bf16=165),
    'l4': _card(24, 300, fp32=30.3, tf32=60, fp16=121, bf16=121),
    'l40s': _card(48, 864, fp32=91.6, tf32=183, fp16=362, bf16=362),
    'a100': _card(80, 2039, fp32=19.5, tf32=156, fp16=312, bf16=312),
    'h100': _card(80, 3350, fp32=67, tf32=495, fp16=989, bf16=989),
    'h200': _card(141, 4800, fp32=67, tf32=495, fp16=989, bf16=989),
}
