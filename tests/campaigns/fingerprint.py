"""What a change of the house must leave equal, one line per config: python tests/campaigns/fingerprint.py > before.txt

Each line holds digests of the resolved config and of the state dict's keys and shapes, and, exactly as the processor
computes them, the loss of one training step, the sum of its gradients, and that of the squares of what the model then
predicts. Write it before the change and after it, on one machine, and compare the two files.
"""

import hashlib
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

sys.path.insert(0, str(Path(__file__).parents[1] / 'configs'))

from tasks import give_untrained_teacher, task_of  # noqa: E402

from sdpose.config.load import load_config  # noqa: E402

CONFIGS = Path(__file__).parents[2] / 'configs'


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def exact(value: float) -> str:
    return float(value).hex()


def numbers(sample: object) -> np.ndarray:
    """What is predicted of a sample, as one row."""
    if hasattr(sample, 'pred_score'):
        return sample.pred_score.double().numpy()
    return np.concatenate([np.ravel(sample.pred_instances.keypoints), np.ravel(sample.pred_instances.keypoint_scores)])


def line(leaf: Path) -> str:
    """The fingerprint of a config."""
    config = load_config(leaf)
    torch.manual_seed(0)
    np.random.seed(0)
    model = MODELS.build(config.model)
    give_untrained_teacher(model)
    keys = [f'{key} {tuple(value.shape)}' for key, value in model.state_dict().items()]
    task = task_of(config)
    losses = model.train()(**model.data_preprocessor(task.inputs(config, 2), training=True), mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    gradient = sum(p.grad.double().abs().sum() for p in model.parameters() if p.grad is not None)
    with torch.no_grad():
        samples = model.eval().test_step(task.inputs(config, 2))
    predicted = sum(float(np.square(numbers(sample).astype(np.float64)).sum()) for sample in samples)
    return (
        f'{leaf.relative_to(CONFIGS).with_suffix("")} config={digest(repr(config.to_dict()))} '
        f'keys={digest(repr(keys))} loss={exact(total)} gradient={exact(gradient)} predicted={exact(predicted)}'
    )


def main() -> None:
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    init_default_scope('mmpose')
    MMLogger.get_current_instance().setLevel('ERROR')
    for leaf in sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts):
        print(line(leaf), flush=True)


if __name__ == '__main__':
    main()
