"""The score of a file, by the config's own metric, data path and flip test, beside that of PyTorch.

Shapes: B images of a batch, K joints.
"""

from typing import Any

import numpy as np
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from sdpose.models.heads.pose_head import write_beside
from sdpose.structures import SIGMAS

from .graph import NAMES, DeployedGraph, Flip, mirror
from .judge import Decoder, Run, run_batches
from .pictures import Pictures

_BATCH = 16
# Below it, of 100, a loss says nothing about what the precision costs a trained model.
TRAINED = 40.0


class Scored:
    """A model whose pass is computed elsewhere; it predicts as the config's model does.

    Args:
        model: The model, for its preprocessor and the way back into the picture.
        graph: What computes the pass, or the file that does, holds.
        codec: The codec's config, None for classes.
        flip: The flip test of the config.
        batch: Images at a time, None if it is free.
    """

    def __init__(
        self, model: Any, graph: DeployedGraph, codec: dict[str, Any] | None, flip: Flip, batch: int | None
    ) -> None:
        self.model, self.graph, self.batch = model, graph, batch
        self.flip = flip if flip.enabled and not graph.inside and graph.kind == graph.natural else None
        self.decode = Decoder(graph.kind, codec if graph.kind == graph.natural else None, graph.size)

    def score(self, pictures: Pictures, run: Run) -> dict[str, float]:
        """The metrics of a pass on all pictures.

        Args:
            pictures: A data set with metrics.
            run: Computes the outputs of normalized images (B, 3, h, w).
        """
        evaluator = Evaluator(pictures.evaluators)
        evaluator.dataset_meta = pictures.dataset.metainfo
        for batch in pictures.batches(self.model.data_preprocessor, _BATCH):
            samples = self._predict(batch['inputs'].numpy(), batch['data_samples'], run)
            evaluator.process(data_samples=samples, data_batch=batch)
        return {name: float(value) for name, value in evaluator.evaluate(len(pictures.dataset)).items()}

    def _predict(self, images: np.ndarray, samples: Any, run: Run) -> Any:
        """The samples with what the pass predicts of the model's images (B, 3, h, w)."""
        told = len(self.graph.names) - len(self.graph.state)
        outputs = run_batches(run, self.graph.arranged(images), self.batch)[:told]
        if self.graph.kind == 'classes':
            for sample, logits in zip(samples, outputs[0]):
                sample.pred_score = torch.from_numpy(logits).softmax(dim=-1)
            return samples
        if self.flip is not None:
            other = run_batches(run, np.ascontiguousarray(images[..., ::-1]), self.batch)
            parts = tuple(map(torch.from_numpy, other[:told]))
            turned = mirror(self.graph.kind, parts, self.flip, self.graph.size)
            outputs = [(one + two.numpy()) * np.float32(0.5) for one, two in zip(outputs, turned)]
        joints, scores = self.decode(outputs)
        found = [
            InstanceData(keypoints=place[None], keypoint_scores=score[None]) for place, score in zip(joints, scores)
        ]
        self._add_beside(found, outputs, samples)
        return self.model.add_pred_to_datasample(found, None, samples)

    def _add_beside(self, found: list[InstanceData], outputs: list[np.ndarray], samples: Any) -> None:
        """Write what stands behind the outputs of the kind into the instances of a batch."""
        beside = dict(zip(self.graph.beside, map(torch.from_numpy, outputs[len(NAMES[self.graph.kind]) :])))
        if self.graph.kind == 'joints' and SIGMAS in beside:  # in pixels of the input
            beside[SIGMAS] = beside[SIGMAS] / torch.tensor(self.graph.size)
        write_beside(found, [beside], samples)


def line(name: str, before: float, after: float, moved: float | None, scale: float | None) -> str:
    """The accuracy in one line.

    Args:
        name: Of the metric.
        before: Of PyTorch in full precision.
        after: Of the file.
        moved: The share of joints that moved.
        scale: What the metric is multiplied by for per cent; None if it is told as it is.
    """
    share = '' if moved is None else f', {moved:.2%} of the joints moved by more than a pixel'
    if scale is None:
        return f'{name} {after:.4g} against {before:.4g} in fp32{share}'
    if before * scale < TRAINED:
        return f'untrained ({name} {before * scale:.2f} in fp32): what the precision costs is not known{share}'
    return f'{name} {after * scale:.2f} against {before * scale:.2f} in fp32{share}'
