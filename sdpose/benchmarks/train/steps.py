"""Steps of training of one model: as the package takes them, and as the released code does.

Shapes: B batch, K joints, H and W the heatmap size.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.evaluation.functional import pose_pck_accuracy
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from sdpose.benchmarks.device import autocast
from sdpose.benchmarks.infer.subjects import ByHand, Subject
from sdpose.models.heads import TokenPoseHead


class Batch:
    """Random images and targets, the same for every variant.

    Args:
        subject: The model.
        batch: B.
        device: Where they lie.
    """

    def __init__(self, subject: Subject, batch: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(0)
        joints, (width, height) = subject.model.neck.tokenizer.num_queries, subject.model.head.heatmap_size
        self.images = torch.randn(batch, 3, *subject.size, generator=generator).to(device)
        self.heatmaps = torch.rand(batch, joints, height, width, generator=generator).to(device)  # (B, K, H, W)
        self.weights = (torch.rand(batch, joints, generator=generator) < 0.8).float().to(device)  # (B, K)
        self.samples = []
        for heatmaps, weights in zip(self.heatmaps, self.weights):
            sample = PoseDataSample()
            sample.gt_fields = PixelData(heatmaps=heatmaps)
            sample.gt_instance_labels = InstanceData(keypoint_weights=weights[None])
            self.samples.append(sample)


class OwnWay:
    """The package's step.

    Args:
        subject: The model, which is copied.
        device: Where it runs.
        options: Of ``measure.OPTIONS``.
    """

    def __init__(self, subject: Subject, device: torch.device, options: Sequence[str] = ()) -> None:
        self.model = _trainable(copy.deepcopy(subject.model), device)
        self.channels_last = 'channels_last' in options
        if self.channels_last:
            self.model.to(memory_format=torch.channels_last)
        self.model.neck.checkpoint_cycles = 'checkpoint_cycles' in options
        self.model.neck.compile_cycles = 'compile' in options

    def loss(self, batch: Batch) -> Tensor:
        """The total loss of a batch."""
        images = batch.images
        if self.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        return self.model.parse_losses(self.model.loss(images, batch.samples))[0]

    def after(self, loss: Tensor) -> None:
        """What a step does at its end: nothing, the log reads the loss when a line is written."""


class ReleasedWay:
    """The released code's step by the model by hand, with the same weights.

    All attention maps are kept, the loss goes over the joints in a loop, and every step reads its loss, and computes
    its accuracy, on the host.

    Args:
        subject: The model; its distiller's terms are weighted as they are.
        device: Where it runs.
    """

    def __init__(self, subject: Subject, device: torch.device) -> None:
        self.model = _trainable(copy.deepcopy(ByHand(subject)), device)
        head: Any = subject.model.head
        distiller = subject.model.distiller
        self.factor = head.loss_module.loss_weight
        self.terms = {} if distiller is None else {distiller.on[name]: each for name, each in distiller.terms.items()}

    @staticmethod
    def knows(model: Any) -> bool:
        """Whether it computes what a model trains: all cycles' heatmaps, and the terms of the released code."""
        distiller = getattr(model, 'distiller', None)
        return (
            ByHand.knows(model)
            and type(model.head) is TokenPoseHead
            and model.head.supervise == 'all'
            and type(model.head.loss_module).__name__ == 'KeypointMSELoss'
            and (
                distiller is None
                or (not getattr(distiller, 'detach_teacher', True) and {*distiller.on.values()} <= {'query', 'visual'})
            )
        )

    def loss(self, batch: Batch) -> Tensor:
        """The total loss of a batch."""
        cycles = self.model.hand(batch.images)
        total = torch.zeros((), device=batch.images.device)
        for each in cycles:
            total = total + self._of_joints(each.heatmaps.float(), batch)
        for one, other in zip(cycles, cycles[1:]):
            for name, term in self.terms.items():
                difference = getattr(one, name) - getattr(other, name)
                total = total + term.loss_weight * (difference**2).mean()
        self._deployed, self._batch = cycles[0].heatmaps, batch
        return total

    def _of_joints(self, heatmaps: Tensor, batch: Batch) -> Tensor:
        """The mean error of heatmaps (B, K, H, W), joint by joint."""
        joints = heatmaps.shape[1]
        pairs = zip(heatmaps.flatten(2).split(1, 1), batch.heatmaps.flatten(2).split(1, 1), batch.weights.split(1, 1))
        errors = []
        for predicted, target, weight in pairs:  # (B, 1, H * W), (B, 1, H * W), (B, 1)
            weighted = weight[..., None]
            errors.append(((predicted * weighted - target * weighted) ** 2).mean())
        return self.factor * torch.stack(errors).sum() / joints

    def after(self, loss: Tensor) -> None:
        """Read the loss, and compute the accuracy on the host, as the released code does in each step."""
        loss.item()
        values = (self._deployed.detach().float(), self._batch.heatmaps, self._batch.weights > 0)
        pose_pck_accuracy(*(each.cpu().numpy() for each in values))


def step_of(way: Any, batch: Batch, precision: str, fused: bool = False) -> Callable[[], None]:
    """A step of training: forward, backward and Adam's.

    Args:
        way: :class:`OwnWay` or :class:`ReleasedWay`.
        batch: What it is trained on.
        precision: Of :data:`sdpose.benchmarks.device.PRECISIONS`; fp16 scales the loss.
        fused: Whether Adam takes its step by one kernel.
    """
    device = batch.images.device
    optimizer = torch.optim.Adam(way.model.parameters(), lr=1e-5, fused=fused or None)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == 'fp16')

    def step() -> None:
        with autocast(device, precision):
            loss = way.loss(batch)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        way.after(loss)
        if device.type == 'cuda':
            torch.cuda.synchronize(device)

    return step


def _trainable(model: nn.Module, device: torch.device) -> Any:
    return model.requires_grad_(True).train().to(device)
