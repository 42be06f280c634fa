"""Which values of which metrics are no result."""

import logging
import math
import re

import numpy as np
import pytest

from sdpose.evaluation.suspicious_metrics import explain_metrics, is_unmeasured

COCO = ('AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5', 'AR .75', 'AR (M)', 'AR (L)')
CROWD = ('AP', 'AP .5', 'AP .75', 'AR', 'AR .5', 'AR .75', 'AP(E)', 'AP(M)', 'AP(H)')


def metrics(prefix, names, value=0.5):
    return dict.fromkeys((f'{prefix}/{name}' for name in names), value)


def with_values(prefix, names, changes):
    return {f'{prefix}/{name}': changes.get(name, 0.5) for name in names}


@pytest.mark.parametrize(
    'values, sentences',
    [
        (metrics('coco', COCO), []),
        (
            metrics('coco', COCO, -1.0),
            ['coco/AP, coco/AP .5, coco/AP .75 and 7 more are -1: no annotated person counts'],
        ),
        (metrics('coco', COCO, np.float64(-1)), ['and 7 more are -1: no annotated person counts']),
        (metrics('coco', COCO, 0.0), ['coco/AP, coco/AP .5, coco/AP .75 and 7 more are exactly 0: no prediction fits']),
        (
            with_values('coco', COCO, {'AP (M)': -1.0, 'AR (M)': -1.0}),
            [r'^coco/AP \(M\), coco/AR \(M\) are -1: no annotated person has a medium area .* look at that field$'],
        ),
        (
            with_values('coco', COCO, {'AP (M)': -1, 'AR (M)': -1, 'AP (L)': -1, 'AR (L)': -1}),
            ['a medium area .* or a large area'],
        ),
        # One part of the people is never met; a narrow threshold may be missed by everybody.
        (with_values('coco', COCO, {'AP (L)': 0.0}), [r'^coco/AP \(L\) is exactly 0: .* of that part: look at area']),
        (with_values('coco', COCO, {'AP .75': 0.0, 'AR .75': 0.0}), []),
        (with_values('coco', COCO, {'AP (M)': -1, 'AR (M)': -1, 'AP': 0.0}), [r'\(M\) are -1', 'coco/AP is exactly 0']),
        (with_values('crowdpose', CROWD, {'AP(E)': -1}), [r'AP\(E\) is -1: .* an easy image \(crowdIndex below 0.2']),
        (with_values('crowdpose', CROWD, {'AP(M)': -1}), ['a medium image']),
        (metrics('crowdpose', CROWD, -1.0), ['no annotated person counts']),
        (metrics('mpii', ('Head PCK', 'PCK', 'PCK@0.1'), 80.0), []),
        (
            {'mpii/Head PCK': 90.0, 'mpii/Ankle PCK': 0.0, 'mpii/PCK': 40.0},
            ['^mpii/Ankle PCK is exactly 0: no prediction'],
        ),
        ({'mpii/PCK': 3.0, 'mpii/PCK@0.1': 0.0}, []),
        ({'mpii/PCK': 0.0, 'mpii/PCK@0.1': 0.0}, ['^mpii/PCK, mpii/PCK@0.1 are exactly 0']),
        ({'pck/PCK': 0.0}, ['order of the joints']),
        ({'pck/PCKh': -1.0}, ['is -1: nothing was measured']),
        ({'auc/AUC': 0.0}, ['auc/AUC is exactly 0']),
        # Of an error less is better: 0 is perfect.
        ({'epe/EPE': 0.0, 'nme/NME': 0.0}, []),
        ({'epe/EPE': -1.0}, ['^epe/EPE is -1: nothing was measured']),
        ({'nme/NME': math.nan}, ['^nme/NME is no number: nothing was measured']),
        ({'accuracy/top1': 0.0, 'accuracy/top5': 12.5}, ['^accuracy/top1 is exactly 0: .* order of the classes']),
        ({'accuracy/top1': 100.0}, []),
        ({'posetrack18/Total AP': -1.0}, ['no annotated person counts']),
        # The cycles are judged on their own.
        (
            {**metrics('cycle1/coco', COCO), **metrics('cycle2/coco', COCO, -1.0)},
            ['^cycle2/coco/AP, cycle2/coco/AP .5, .* are -1'],
        ),
        # What they have in common is said once.
        (
            {f'{kind}/coco/{name}': 0.0 for kind in ('halt0.3', 'halt0.5', 'chance0.3') for name in ('AP', 'AR')},
            [r'^halt0.3/coco/AP, halt0.3/coco/AR are exactly 0: .* \(the same of halt0.5/coco, chance0.3/coco\)$'],
        ),
        # Nothing is known of somebody's own metric, but that NaN is none.
        ({'mine/shift': -1.0, 'mine/count': 0, 'mine/name': 'x', 'mine/flag': False, 'mine/list': [1, 2]}, []),
        ({'mine/shift': math.nan}, ['mine/shift is no number']),
        ({}, []),
    ],
)
def test_what_is_said(values, sentences):
    found = [remark.sentence for remark in explain_metrics(values)]
    assert len(found) == len(sentences)
    for sentence, expected in zip(found, sentences):
        assert re.search(expected, sentence) and '\n' not in sentence


def test_data_without_people_of_one_size_are_no_reason_to_warn():
    levels = [
        explain_metrics(with_values('coco', COCO, changes))[0].level
        for changes in ({'AP (L)': -1, 'AR (L)': -1}, {'AP': -1, 'AP (L)': -1}, {'AP (L)': 0.0})
    ]
    assert levels == [logging.INFO, logging.WARNING, logging.WARNING]


@pytest.mark.parametrize('values', [{'epe/EPE': 0.0}, {'nme/NME': 0.0}, {'pck/PCK': 0.0}, {'auc/AUC': 0.0}])
def test_of_joints_that_nobody_labelled_nothing_is_measured(values):
    assert [
        'no joint of the data is labelled' in remark.sentence for remark in explain_metrics(values, labelled=False)
    ] == [True]


@pytest.mark.parametrize(
    'name, value, expected',
    [
        ('coco/AP', -1, True),
        ('coco/AP', np.float32(-1), True),
        ('cycle1/crowdpose/AP', -1.0, True),
        ('coco/AP', 0.0, False),
        ('coco/AP', math.nan, True),
        ('mpii/PCK', -1.0, True),
        ('likelihood', -1.0, False),
        ('likelihood', math.nan, True),
        ('coco/AP', None, False),
        ('coco/AP', 'high', False),
    ],
)
def test_no_measurement(name, value, expected):
    assert is_unmeasured(name, value) is expected
