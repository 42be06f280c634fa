"""Numbers of the released code as tensors: those in tests/data always, the complete set if it lies beside the checkout.

Those of ``tests/data`` are cropped. A teacher's heatmaps are the released ones around each keypoint; farther away,
where a Gaussian is below 4e-5, they hold the one value that leaves their sum of squares, and with it the released
losses, as they were. DistilPose's step begins at the tokens; what makes tokens is compared on SDPose's numbers.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

DATA = Path(__file__).parents[1] / 'data'
COMPLETE = Path(__file__).parents[3] / 'shared' / 'fixtures'
FOLDERS = [DATA] + ([COMPLETE] if COMPLETE.is_dir() else [])


class Fixture:
    """One npz of the released code as tensors."""

    def __init__(self, path: Path) -> None:
        self.arrays = np.load(path, allow_pickle=False)
        self.config = json.loads(str(self.arrays['config_json'])) if 'config_json' in self.arrays else {}

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def __getitem__(self, key: str) -> Tensor:
        array = self.arrays[key]
        return torch.from_numpy(array.astype(np.float32) if array.dtype == np.float16 else array)

    def below(self, prefix: str) -> dict[str, Tensor]:
        return {key[len(prefix) :]: self[key] for key in self.arrays.files if key.startswith(prefix)}
