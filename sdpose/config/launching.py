"""What a launcher leaves in the environment of the processes that it starts."""

import os

import torch

from sdpose.errors import ConfigError

# By launcher: the variables that are whole numbers, the others, and who sets them.
_NEEDED = {
    'pytorch': (('RANK', 'WORLD_SIZE', 'MASTER_PORT'), ('MASTER_ADDR',), 'torchrun: start it by tools/dist_train.sh'),
    'slurm': (('SLURM_PROCID', 'SLURM_NTASKS'), ('SLURM_NODELIST',), 'srun: start it by tools/slurm_train.sh'),
    'mpi': (
        tuple(f'OMPI_COMM_WORLD_{name}' for name in ('LOCAL_RANK', 'RANK', 'SIZE')),
        ('MASTER_ADDR',),
        'mpirun, and MASTER_ADDR by you',
    ),
}


def require_launcher(launcher: str) -> None:
    """Check that a launcher has started this process, and that there is a GPU for it, if there are any.

    Args:
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    Raises:
        ConfigError: Naming the variables that are missing or no numbers.
    """
    if launcher not in _NEEDED:
        if launcher != 'none':
            raise ConfigError(f'--launcher {launcher}: choose from none, {", ".join(_NEEDED)}')
        return
    numbers, texts, setter = _NEEDED[launcher]
    missing = [name for name in (*numbers, *texts) if not os.environ.get(name)]
    if missing:
        raise ConfigError(
            f'--launcher {launcher}: {", ".join(missing)} not set in the environment, which is done by {setter} (or '
            'leave --launcher out for a single process)'
        )
    for name in (*numbers, 'LOCAL_RANK'):
        if not os.environ.get(name, '0').isdigit():
            raise ConfigError(f'--launcher {launcher}: {name}={os.environ[name]} in the environment is no whole number')
    gpus = torch.cuda.device_count()
    if launcher == 'pytorch' and int(os.environ['RANK']) >= int(os.environ['WORLD_SIZE']):
        raise ConfigError(f'--launcher pytorch: RANK={os.environ["RANK"]}, but WORLD_SIZE={os.environ["WORLD_SIZE"]}')
    if launcher == 'pytorch' and gpus and int(os.environ.get('LOCAL_RANK', 0)) >= gpus:
        raise ConfigError(
            f'process {os.environ["LOCAL_RANK"]} of this machine has no GPU: there are {gpus}, a GPU each'
        )
