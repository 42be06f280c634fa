"""Whose boxes: named for built data sets, switched in configs."""

from mmengine.config import ConfigDict

from sdpose.config.nodes import use_ground_truth_boxes
from sdpose.evaluation import describe_boxes


class _Data:
    def __init__(self, count: int, **attributes) -> None:
        self.count = count
        self.__dict__.update(attributes)

    def __len__(self) -> int:
        return self.count


def test_detections_and_ground_truth_are_told_apart_and_counted() -> None:
    assert describe_boxes(_Data(3, bbox_file='d.json', ann_file='a.json')) == 'person boxes: 3 detections from d.json'
    assert describe_boxes(_Data(2, bbox_file=None, ann_file='a.json')) == (
        'person boxes: 2 ground-truth boxes from a.json'
    )


def test_wrapped_data_sets_are_all_named() -> None:
    both = _Data(5, datasets=[_Data(3, bbox_file='d.json'), _Data(1, dataset=_Data(2, ann_file='a.json'))])
    assert describe_boxes(both) == 'person boxes: 3 detections from d.json; 2 ground-truth boxes from a.json'


def test_switching_drops_detections_and_their_threshold_at_any_depth() -> None:
    inner = dict(type='CocoDataset', bbox_file='d.json', filter_cfg=dict(bbox_score_thr=0.3, other=1))
    cfg = ConfigDict(type='CombinedDataset', datasets=[inner, dict(type='X', dataset=dict(bbox_file='e.json'))])
    use_ground_truth_boxes(cfg)
    assert cfg.datasets[0].bbox_file is None
    assert cfg.datasets[0].filter_cfg == dict(other=1)
    assert cfg.datasets[1].dataset.bbox_file is None
