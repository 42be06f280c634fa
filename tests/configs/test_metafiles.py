"""A method's metafile lists its configs, with the counts of the config table and the paper's numbers of its README."""

import re
import runpy
from pathlib import Path

import pytest
import yaml

CONFIGS = Path(__file__).parents[2] / 'configs'
TABLE = runpy.run_path(str(Path(__file__).with_name('test_configs.py')))['TABLE']
METHODS = sorted({path.relative_to(CONFIGS).parts[0] for path in CONFIGS.rglob('*.py')} - {'_base_', 'quick_start'})
_DATA = {
    'coco': 'COCO',
    'crowdpose': 'CrowdPose',
    'mpii': 'MPII',
    'imagenet': 'ImageNet-1k',
    'wholebody': 'COCO-WholeBody',
    'ap10k': 'AP-10K',
}


def readme_numbers() -> dict[str, dict[str, float]]:
    """The quoted AP, AR and top-1 accuracy of each leaf in the methods' READMEs, by the headers of their columns."""
    numbers: dict[str, dict[str, float]] = {}
    for readme in CONFIGS.glob('*/README.md'):
        header: list[str] = []
        for line in readme.read_text().splitlines():
            cells = [cell.strip() for cell in line.strip('|').split('|')]
            if line.startswith('| config '):
                header = cells
            link = re.match(r'\| \[[^]]*\]\(([^)]+)\.py\)', line)
            if link and header:
                leaf = (readme.parent / link[1]).resolve().relative_to(CONFIGS).as_posix()
                numbers.setdefault(leaf, {}).update(
                    {
                        name: float(cell)
                        for name, cell in zip(header, cells)
                        if re.fullmatch(r'(A[PR]|top-1).*\((?!measured).*\)', name) and re.fullmatch(r'[\d.]+', cell)
                    }
                )
    return numbers


def test_counts_in_the_readmes_are_those_of_the_config_table() -> None:
    """Every row of a table with counts, in the methods' READMEs and in the main one, in the digits that it shows."""
    rows = 0
    for readme in [CONFIGS.parent / 'README.md', *CONFIGS.glob('*/README.md')]:
        header: list[str] = []
        for line in readme.read_text().splitlines():
            cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
            if 'params (M)' in cells:
                header = cells
            link = re.match(r'\| \[[^]]*\]\(([^)]+)\.py\)', line)
            if not line.startswith('|'):
                header = []
            elif link and header:
                leaf = (readme.parent / link[1]).resolve().relative_to(CONFIGS).as_posix()
                shown = dict(zip(header, cells))
                params, published, true = TABLE[leaf]
                values = {'params (M)': params / 1e6, 'published (G)': published, 'true (G)': true}
                values['without attention (G)'] = published
                for column in values.keys() & shown.keys():
                    digits = len(shown[column].partition('.')[2])
                    expected = pytest.approx(values[column], abs=0.51 * 10**-digits)
                    assert float(shown[column]) == expected, f'{leaf}: {column}'
                rows += 1
    assert rows >= 60, rows


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def models(method: str) -> dict[str, dict]:
    """The models of a metafile by their configs, ``METHOD/DATA/NAME``."""
    file = CONFIGS / method / 'metafile.yml'
    assert file.is_file(), f'configs/{method} has no metafile.yml: list its configs there, as configs/sdpose does'
    listed = yaml.safe_load(file.read_text())['Models']
    paths = [model['Config'].removeprefix('configs/').removesuffix('.py') for model in listed]
    assert len(set(paths)) == len(paths), f'configs/{method}/metafile.yml lists a config twice'
    return dict(zip(paths, listed))


def test_every_leaf_is_listed_and_every_listed_leaf_exists(method: str, models: dict[str, dict]) -> None:
    leaves = {path.relative_to(CONFIGS).with_suffix('').as_posix() for path in (CONFIGS / method).rglob('*.py')}
    missing, gone = sorted(leaves - models.keys()), sorted(models.keys() - leaves)
    assert not missing, f'configs/{method}/metafile.yml does not list {", ".join(missing)}: add a row for each'
    assert not gone, f'configs/{method}/metafile.yml lists {", ".join(gone)}, which do not exist'


def test_counts_are_those_of_the_config_table(models: dict[str, dict]) -> None:
    for leaf, model in models.items():
        params, published, true = TABLE[leaf]
        assert model['Metadata']['Parameters'] == params, leaf
        assert model['Metadata']['FLOPs'] == pytest.approx(published * 1e9, abs=1), leaf
        assert model['Metadata']['Multiply-adds'] == pytest.approx(true * 1e9, abs=1), leaf


def test_results_are_the_papers_and_equal_the_readme(models: dict[str, dict]) -> None:
    expected = readme_numbers()
    assert sum(map(bool, expected.values())) >= 15
    for leaf, model in models.items():
        results = model.get('Results', [])
        found = {name: value for result in results for name, value in result['Metrics'].items()}
        assert found == expected.get(leaf, {}), f'{leaf}: metafile and README differ'
        assert all(result['Dataset'] == _DATA[leaf.split('/')[1]] for result in results), leaf
        assert model['Metadata']['Training Data'] == (_DATA.get(leaf.split('/')[1]) or leaf.split('/')[1]), leaf


def test_names_and_collections(method: str, models: dict[str, dict]) -> None:
    content = yaml.safe_load((CONFIGS / method / 'metafile.yml').read_text())
    collections = {collection['Name'] for collection in content['Collections']}
    for collection in content['Collections']:
        assert (CONFIGS.parent / collection['README']).is_file()
        assert collection['Paper']['URL'] in (CONFIGS.parent / collection['README']).read_text()
    for leaf, model in models.items():
        assert model['Name'] == leaf.split('/')[-1] and model['In Collection'] in collections, leaf
