"""Teachers small enough for a test, written to files as a user has them, and a batch for their students."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from sdpose.models.outputs import ModelOutputs


def stock_hrnet(codec: dict) -> dict:
    """MMPose's own estimator with its own HRNet, five joints; it wants sizes that 32 divides."""
    return dict(
        type='TopdownPoseEstimator',
        data_preprocessor=dict(type='PoseDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
        backbone=dict(
            type='HRNet',
            extra=dict(
                stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,), num_channels=(4,)),
                stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1), num_channels=(4, 8)),
                stage3=dict(
                    num_modules=1, num_branches=3, block='BASIC', num_blocks=(1, 1, 1), num_channels=(4, 8, 16)
                ),
                stage4=dict(
                    num_modules=1, num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1), num_channels=(4, 8, 16, 32)
                ),
            ),
        ),
        head=dict(type='HeatmapHead', in_channels=4, out_channels=5, deconv_out_channels=None, decoder=codec),
    )


def write_teacher(folder: Path, model: dict, std: float = 0.0) -> dict[str, str]:
    """Write config and random checkpoint of a teacher; returns both as a ``TeacherDistiller`` takes them.

    As built, heatmaps are almost flat; with ``std`` every parameter is drawn from that normal instead.
    """
    init_default_scope('mmpose')
    config, checkpoint = folder / 'teacher.py', folder / 'teacher.pth'
    Config(dict(model=model)).dump(config)
    torch.manual_seed(1)
    built = MODELS.build(model)
    for parameter in built.parameters() if std else ():
        torch.nn.init.normal_(parameter, std=std)
    torch.save(dict(state_dict=built.state_dict()), checkpoint)
    return dict(teacher=str(config), checkpoint=str(checkpoint))


def heatmap_batch(size: tuple[int, int] = (64, 64)) -> tuple[torch.Tensor, list[PoseDataSample]]:
    """Three images of (w, h) with heatmaps of a quarter of it for five joints, some of them not annotated."""
    width, height = size
    torch.manual_seed(2)
    samples = []
    for _ in range(3):
        sample = PoseDataSample(metainfo=dict(flip_indices=list(range(5))))
        sample.gt_fields = PixelData(heatmaps=torch.rand(5, height // 4, width // 4))
        sample.gt_instance_labels = InstanceData(keypoint_weights=(torch.rand(1, 5) > 0.3).float())
        samples.append(sample)
    return torch.randn(3, 3, height, width), samples


def between_cycles(distiller, feats):
    """The terms of a self-distiller for the tokens of all cycles."""
    return distiller.losses(ModelOutputs(None, (), feats), None, [])


def teacher_of(model):
    """The teacher of a student, built if it has not been."""
    model.distiller.prepare(model)
    return model.distiller.teacher.model
