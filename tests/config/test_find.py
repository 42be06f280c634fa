"""Finding configs in the checkout."""

from pathlib import Path

import pytest

from sdpose.config import find


def test_configs_of_the_checkout(repo_root: Path):
    assert find.config_dir() == repo_root / 'configs'


def test_every_way_to_name_a_config(repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    wanted = repo_root / 'configs' / '_base_' / 'default_runtime.py'
    for name in (
        wanted,
        '_base_/default_runtime.py',
        'configs/_base_/default_runtime.py',
        '_base_/default_runtime',
        'default_runtime',
        'default_runtime.py',
    ):
        assert find.find_config(name) == wanted


def test_an_existing_file_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path('default_runtime.py').write_text('')
    assert find.find_config('default_runtime.py') == Path('default_runtime.py')


def test_a_folder_is_no_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / 'mine').mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ('.', 'mine', 'mine/', tmp_path):
        with pytest.raises(ValueError, match=f'^config {name} is a folder: name a config file in it$'):
            find.find_config(name)


def test_an_unknown_config_names_similar_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / 'configs' / 'sdpose'
    folder.mkdir(parents=True)
    (folder / 'sdpose-t_coco.py').write_text('')
    monkeypatch.setattr(find, 'config_dir', lambda: tmp_path / 'configs')
    with pytest.raises(FileNotFoundError, match=r"No config 'sdpose-t_coc', .*Similar: sdpose/sdpose-t_coco.py"):
        find.find_config('sdpose-t_coc')
    (folder / 'tokenpose-s_stemnet_8xb64-300e_coco-256x192.py').write_text('')
    with pytest.raises(FileNotFoundError, match='Similar: sdpose/tokenpose-s_stemnet_8xb64-300e_coco-256x192.py'):
        find.find_config('token-pose-s')  # the model alone
    with pytest.raises(FileNotFoundError, match='No config has a similar name'):
        find.find_config('configs/xyzzy.py')


def test_a_config_of_an_installed_package():
    wanted = 'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
    for name in (f'mmpose::{wanted}', f'mmpose::{Path(wanted).stem}'):
        found = find.find_config(name)
        assert found.is_file() and str(found).endswith(f'mmpose/.mim/configs/{wanted}')
    with pytest.raises(FileNotFoundError, match=r"No config 'mmpose::td-hm_hrnet-w33.*Similar: .*td-hm_hrnet-w32"):
        find.find_config('mmpose::td-hm_hrnet-w33_8xb64-210e_coco-256x192')
    for package in ('mmpos', 'mmpose/x', 'torch', ''):
        with pytest.raises(FileNotFoundError, match=f"No package '{package}' with configs is installed"):
            find.find_config(f'{package}::{wanted}')


def test_an_ambiguous_name_lists_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'same.py').write_text('')
    monkeypatch.setattr(find, 'config_dir', lambda: tmp_path)
    with pytest.raises(ValueError, match='fits several: a/same.py, b/same.py'):
        find.find_config('same')


def test_a_package_without_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / 'configs').mkdir()  # some other project's, in site-packages
    monkeypatch.setattr(find, '_PACKAGE', tmp_path / 'sdpose')
    with pytest.raises(FileNotFoundError, match='has no configs.*install it again'):
        find.config_dir()
