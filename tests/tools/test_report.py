"""The report as a user makes it: by report.py and by test.py --report, and the page in a real browser."""

import json
import re
import resource
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from browser import open_browser
from report_people import person, predict, write_annotations

from sdpose.apis.report import make_report
from sdpose.apis.testing import test as evaluate
from sdpose.benchmarks.generated_people import World, generate
from sdpose.errors import ConfigError, UserError
from sdpose.evaluation.coco.predictions import by_image, final_scores, from_samples, write_results


@pytest.fixture(scope='module')
def tested(trained: SimpleNamespace, run_tool: Callable) -> Path:
    """The folder of ``test.py --report``; ``log`` and ``metrics.json`` lie in ``work``."""
    folder = trained.folder / 'reported'
    run_tool(
        'tools/test.py', 'tiny.py', trained.run / 'epoch_40.pth', '--work-dir', folder / 'work',
        '--report', folder / 'page', cwd=trained.folder, check=True,
    )  # fmt: skip
    return folder


def test_a_test_reports_its_own_metrics(tested: Path) -> None:
    (metrics,) = tested.glob('work/*/metrics.json')
    logged = json.loads(metrics.read_text())['metrics']
    report = json.loads((tested / 'page/report.json').read_text())
    assert {f'coco/{name}': value for name, value in report['run']['numbers'].items()} == logged
    assert re.match(r'\d+\.\d samples a second on a CPU, .* ms each in batches of ', report['speed'])
    assert report['speed'] in (tested / 'page/index.html').read_text()
    assert report['title'] == 'tiny' and report['boxes'].startswith('person boxes: 9 detections from data/coco/')
    assert sorted(path.name for path in (tested / 'page').iterdir()) == ['index.html', 'report.json', 'results.json']
    (log,) = tested.glob('work/*/*.log')
    assert f'report: {tested / "page/index.html"}' in log.read_text()
    page = (tested / 'page/index.html').read_text()
    assert page.count('<img src="data:image/jpeg;base64,') >= 8 and '<h3>Best</h3>' in page


def test_the_same_page_from_the_files(tested: Path, trained: SimpleNamespace, run_tool: Callable) -> None:
    annotations = trained.folder / 'data/coco/annotations/person_keypoints_val2017.json'
    results, out = tested / 'page/results.json', tested / 'again'
    done = run_tool(
        'tools/analysis_tools/report.py', results, annotations, '--out', out, '--compare', results,
        '--gt-boxes', results, '--images', trained.folder / 'data/coco/val2017', check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == str(out / 'index.html')
    first, again = (json.loads((folder / 'report.json').read_text()) for folder in (tested / 'page', out))
    assert again['run'] == {**first['run'], 'results': str(results), 'data': again['run']['data']}
    assert again['comparison']['difference']['AP'] == 0 and again['gt_boxes']['numbers'] == again['run']['numbers']


def test_a_mistake_is_one_line(tmp_path: Path, run_tool: Callable) -> None:
    people = [person(1, (10, 10))]
    annotations, results = write_annotations(tmp_path / 'a.json', people), predict(people)
    results[0]['image_id'] = 9
    (tmp_path / 'r.json').write_text(json.dumps(results))
    done = run_tool('tools/analysis_tools/report.py', tmp_path / 'r.json', annotations, '--out', tmp_path / 'out')
    assert done.returncode == 2 and not (tmp_path / 'out').exists()
    lines = done.stderr.strip().splitlines()
    assert lines[-1].startswith(f'error: {tmp_path}/r.json: result 0 (counted from 0): image_id is none of')
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(all_cycles=True), '--report .*leave out --all-cycles'),
        (dict(format_only=True), '--report .*leave out --format-only'),
        (dict(report='file/x'), '--report file/x: the folder file/x cannot be written'),
        (dict(cfg_options=dict(test_evaluator=[])), 'needs exactly one CocoMetric'),
        (dict(cfg_options={'test_evaluator.iou_type': 'bbox'}), 'needs exactly one CocoMetric'),
    ],
)
def test_what_cannot_be_reported_is_said_before_the_test(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(workspace)
    (workspace / 'file').write_text('')
    (workspace / 'none.pth').write_bytes(b'')
    with pytest.raises((ConfigError, UserError), match=message):
        evaluate('tiny.py', 'none.pth', **{'report': 'page', **options})


def test_the_page_in_a_browser(tmp_path: Path) -> None:
    """It is whole without a network, follows light and dark, and fits a phone."""
    people = [person(1 + number // 2, (20.0 + 500 * (number % 2), 30.0)) for number in range(24)]

    def worse(number: int, joints: np.ndarray) -> None:
        joints[:, 0] += 3 * (number % 7)

    annotations, files = write_annotations(tmp_path / 'a.json', people), [tmp_path / 'r.json', tmp_path / 'o.json']
    for file, results in zip(files, (predict(people, worse), predict(people))):
        file.write_text(json.dumps(results))
    page, _ = make_report(files[0], annotations, tmp_path / 'out', other=files[1], gt_boxes=files[1])
    with open_browser() as browser:
        grounds = {
            (scheme, width): look_at(
                browser.new_page(viewport=dict(width=width, height=800), color_scheme=scheme), page
            )
            for scheme in ('light', 'dark')
            for width in (390, 1200)
        }
    for width in (390, 1200):
        (light, ink), (dark, chalk) = grounds['light', width], grounds['dark', width]
        assert light > 240 and ink < 40 and dark < 40 and chalk > 220


def look_at(shown: Any, page: Path) -> list[float]:
    """Open a page, look at what may be wrong with it, and give the brightness of its ground and of its text."""
    said: list[str] = []
    shown.on('console', lambda message: said.append(message.text))
    shown.on('pageerror', lambda error: said.append(str(error)))
    shown.on('request', lambda request: said.append(request.url))
    shown.goto(page.as_uri())
    assert said == [page.as_uri()]
    assert shown.evaluate('document.documentElement.scrollWidth') <= shown.viewport_size['width']
    fitting = '[...document.querySelectorAll(".scroll")].every(box => box.scrollWidth <= box.clientWidth)'
    assert shown.evaluate(fitting)
    sections = shown.evaluate('[...document.querySelectorAll("section")].map(part => part.id)')
    links = shown.evaluate('[...document.querySelectorAll("nav a")].map(link => link.hash.slice(1))')
    assert sections == links and 'comparison' in sections
    charts = shown.locator('svg[role=img]')
    assert charts.count() == 7 and all(chart.bounding_box()['width'] > 250 for chart in charts.all())
    colors = 'getComputedStyle(document.body)'
    return [brightness(shown.evaluate(f'{colors}.{key}')) for key in ('backgroundColor', 'color')]


def brightness(color: str) -> float:
    """The mean of the channels of ``rgb(1, 2, 3)``."""
    return float(np.mean([int(part) for part in re.findall(r'\d+', color)[:3]]))


@pytest.mark.long
def test_val2017s_size_takes_a_minute_of_one_core(tmp_path: Path, run_tool: Callable) -> None:
    samples = generate(World(images=5000), tmp_path / 'a.json')
    content = json.loads((tmp_path / 'a.json').read_text())
    for image in content['images']:
        image['file_name'] = f'{image["id"]:012d}.jpg'
    (tmp_path / 'a.json').write_text(json.dumps(content))
    people, _ = by_image(from_samples(samples, 0))
    write_results(tmp_path / 'r.json', people, final_scores(people, 'bbox_keypoint', 0.2))
    del samples, people, content
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_tool(
        'tools/analysis_tools/report.py', tmp_path / 'r.json', tmp_path / 'a.json', '--out', tmp_path / 'out',
        check=True, timeout=600,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert sum(after[:2]) - sum(before[:2]) < 60  # seconds of the processor, which others may share
    numbers = json.loads((tmp_path / 'out/report.json').read_text())['run']
    assert numbers['data']['images'] == 5000 and numbers['data']['results'] > 100_000
