"""What the model of a config gets and predicts: joints or classes."""

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from mmpose.testing import get_packed_inputs

from sdpose.config.load import load_config
from sdpose.config.nodes import input_size
from sdpose.models.distillers import TeacherDistiller
from sdpose.models.distillers.input_spec import require_same_joints
from sdpose.structures import ClassSample


class Pose:
    """What a leaf with joints gets and predicts."""

    accuracy = 'acc_pose'

    @staticmethod
    def inputs(config, batch_size):
        width, height = input_size(config)
        heatmap_size = config.codec.get('heatmap_size', (1, 1))
        packed = get_packed_inputs(
            batch_size,
            num_keypoints=config.num_keypoints,
            img_shape=(height, width),
            input_size=(width, height),
            heatmap_size=heatmap_size,
            with_reg_label=True,
        )
        for sample in packed['data_samples']:
            labels = sample.gt_instance_labels
            labels.keypoint_visibility = torch.ones_like(labels.keypoint_weights)
        return packed

    @staticmethod
    def check(config, sample):
        assert sample.pred_instances.keypoints.shape == (1, config.num_keypoints, 2)
        assert np.isfinite(sample.pred_instances.keypoints).all()


class Classes:
    """What a leaf with classes gets and predicts."""

    accuracy = 'acc_top1'

    @staticmethod
    def inputs(config, batch_size):
        width, height = input_size(config)
        images = [torch.randn(3, height, width) for _ in range(batch_size)]
        return dict(inputs=images, data_samples=[ClassSample(gt_label=torch.tensor(i)) for i in range(batch_size)])

    @staticmethod
    def check(config, sample):
        assert sample.pred_score.shape == (config.num_classes,)
        assert sample.pred_score.sum().item() == pytest.approx(1, abs=1e-5)


def give_untrained_teacher(model):
    """A random teacher for a model that is distilled from one: its own training is the user's."""
    if isinstance(getattr(model, 'distiller', None), TeacherDistiller):
        teacher = MODELS.build(load_config(model.distiller.teacher.config).model)
        require_same_joints(model, teacher, model.distiller.teacher.config)
        model.distiller.teacher.use(teacher, model)


def task_of(config):
    return Pose if 'num_keypoints' in config else Classes
