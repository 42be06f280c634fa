"""The pictures that a file is judged by, and those that int8 is calibrated on."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
from families import TINY, family

from sdpose.config.load import load_config
from sdpose.deploy.export.pictures import calibration, judging_pictures


def test_int8_is_calibrated_on_the_training_data(posed: SimpleNamespace) -> None:
    """Also where the metric names a file of its own, in which the people of the training are not."""
    cfg = copy.deepcopy(posed.cfg)
    folder = f'{posed.folder}/data/coco/annotations'
    cfg.test_evaluator = dict(type='CocoMetric', ann_file=f'{folder}/person_keypoints_val2017.json')
    images, source = calibration(cfg, posed.model.data_preprocessor, 5)
    assert source == 'training crops' and images.shape == (5, 3, 64, 48)
    assert np.isfinite(images).all() and images.std() > 0.1
    assert cfg.test_evaluator.ann_file.endswith('val2017.json')


@pytest.mark.parametrize('config', ['sdpose', 'deit'])
def test_int8_is_judged_by_others_than_it_is_calibrated_on(config: str) -> None:
    """Also where both are drawn."""
    model, _ = family(TINY[config])
    cfg = load_config(TINY[config])
    cfg.train_dataloader.dataset.data_root = cfg.test_dataloader.dataset.data_root = 'of/nothing/'
    images, source = calibration(cfg, model.data_preprocessor, 500)
    with judging_pictures(cfg) as pictures:
        judged = pictures.crops(model.data_preprocessor, 500)
        assert source == f'other {pictures.source}' and pictures.source.startswith('drawn')
    assert not {each.tobytes() for each in images} & {each.tobytes() for each in judged}
