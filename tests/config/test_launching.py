"""A launcher's environment."""

import pytest

from sdpose.config.launching import require_launcher
from sdpose.config.options import prepare
from sdpose.errors import ConfigError

NAMES = {
    'pytorch': dict(RANK='0', WORLD_SIZE='2', MASTER_PORT='29500', MASTER_ADDR='here'),
    'slurm': dict(SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_NODELIST='n[1-2]'),
    'mpi': dict(OMPI_COMM_WORLD_LOCAL_RANK='0', OMPI_COMM_WORLD_RANK='0', OMPI_COMM_WORLD_SIZE='1', MASTER_ADDR='here'),
}


@pytest.mark.parametrize('launcher', NAMES)
def test_what_is_missing_is_named(launcher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NAMES[launcher].items():
        monkeypatch.setenv(name, value)
    require_launcher(launcher)
    for name, value in NAMES[launcher].items():
        monkeypatch.delenv(name)
        with pytest.raises(ConfigError, match=f'--launcher {launcher}: {name} not set'):
            require_launcher(launcher)
        if value.isdigit():
            monkeypatch.setenv(name, 'first')
            with pytest.raises(ConfigError, match=f'{name}=first in the environment is no whole number'):
                require_launcher(launcher)
        monkeypatch.setenv(name, value)


def test_a_rank_beyond_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in dict(NAMES['pytorch'], RANK='2').items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match='RANK=2, but WORLD_SIZE=2'):
        require_launcher('pytorch')


def test_other_launchers() -> None:
    require_launcher('none')
    with pytest.raises(ConfigError, match='--launcher dask: choose from none, pytorch'):
        require_launcher('dask')
    with pytest.raises(ConfigError, match='use --launcher'):
        prepare('sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48', cfg_options=dict(launcher='pytorch'))
