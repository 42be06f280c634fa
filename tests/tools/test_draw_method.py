"""The picture in the README is what its script draws."""

from xml.etree import ElementTree


def test_the_picture_is_what_the_script_draws(run_tool, repo_root, tmp_path):
    run_tool('tools/misc/draw_method.py', tmp_path / 'new' / 'method.svg', check=True)
    drawn = (tmp_path / 'new' / 'method.svg').read_text(encoding='utf-8')
    assert drawn == (repo_root / '.github' / 'method.svg').read_text(encoding='utf-8')
    assert ElementTree.fromstring(drawn).tag.endswith('svg')
    assert '](.github/method.svg)' in (repo_root / 'README.md').read_text(encoding='utf-8')
