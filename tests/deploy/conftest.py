"""A small SDPose that has learned the drawn stick people, and its exported file."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from exported_models import Deployed, describe, write_onnx
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from stick_people import write_coco

from sdpose.config.building import build_model
from sdpose.config.options import prepare

_CONFIG = """
_base_ = ['{root}/configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py']
data_root = '{folder}/data/coco/'
train_dataloader = dict(dataset=dict(
    ann_file='annotations/person_keypoints_train2017.json', data_prefix=dict(img='train2017/')))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    ann_file='annotations/person_keypoints_val2017.json', data_prefix=dict(img='val2017/'),
    bbox_file='{folder}/data/coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json'))
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', ann_file=None)
test_evaluator = val_evaluator
"""


@pytest.fixture(scope='session')
def posed(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> SimpleNamespace:
    """``folder`` (``tiny.py``, ``data/``), ``cfg``, ``model`` with peaked heatmaps, ``batch`` of the test data, and
    ``file``, the model with its heatmaps in ONNX; ``learn``, which fits a model to people."""
    folder = tmp_path_factory.mktemp('posed')
    write_coco(folder / 'data')
    (folder / 'tiny.py').write_text(_CONFIG.format(root=repo_root, folder=folder))
    init_default_scope('mmpose')
    cfg = prepare(str(folder / 'tiny.py'))
    torch.manual_seed(3)
    model = build_model(cfg.model)
    model.init_weights()
    pipeline = cfg.test_dataloader.dataset.pipeline
    target = dict(type='GenerateTarget', encoder=cfg.model.head.decoder)
    people = DATASETS.build(
        dict(cfg.train_dataloader.dataset, pipeline=[*pipeline[:-1], target, dict(type='PackPoseInputs')])
    )
    learn(model, people)
    tests = DATASETS.build(cfg.test_dataloader.dataset)
    batch = pseudo_collate([tests[number] for number in range(len(tests))])
    file = write_onnx(Deployed(model), folder / 'model.onnx', describe(cfg, 'heatmaps'))
    torch.save(dict(state_dict=model.state_dict(), meta={}), folder / 'model.pth')
    return SimpleNamespace(folder=folder, cfg=cfg, model=model, batch=batch, tests=tests, file=file, learn=learn)


def learn(model: torch.nn.Module, people: torch.utils.data.Dataset) -> None:
    """Fit a model to some people, by far not to perfection."""
    batch = model.data_preprocessor(pseudo_collate([people[number] for number in range(len(people))]), True)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(45):
        losses = model.loss(batch['inputs'], batch['data_samples'])
        total = sum(value for name, value in losses.items() if 'loss' in name)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    model.eval()


@pytest.fixture
def in_folder(posed: SimpleNamespace) -> Iterator[Path]:
    """The folder of the model as the current one."""
    before = os.getcwd()
    os.chdir(posed.folder)
    yield posed.folder
    os.chdir(before)
