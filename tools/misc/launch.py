"""Start the processes of a distributed run with torchrun, end with them, and have the last word.

    launch.py GPUS SCRIPT [arguments of the script] [--max-restarts N]

GPUS is the number of processes on this machine. Several machines: NNODES, NODE_RANK (0 on the first), MASTER_ADDR and
PORT are read from the environment. torchrun ends a failed run with a summary of its own; behind it, this program says
in one line what the processes themselves have said (SDPOSE_LAST_WORDS), and ends with their status.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_GRACE_SECONDS = 30
_LAST_PORT = 65535
_WORDS = {'GPUS': ('gpu', 'cpu', 'auto')}  # torchrun counts itself


def split_restarts(arguments: list[str]) -> tuple[list[str], str]:
    """The arguments without ``--max-restarts N``, and N, 0 where it is not given."""
    kept, restarts, rest = [], '0', iter(arguments)
    for argument in rest:
        if argument == '--max-restarts':
            restarts = next(rest, '')
        elif argument.startswith('--max-restarts='):
            restarts = argument.partition('=')[2]
        else:
            kept.append(argument)
    if not restarts.isdigit():
        sys.exit(f'error: --max-restarts {restarts}: give a whole number')
    return kept, restarts


def refuse(line: str) -> NoReturn:
    """End with a mistake of the user."""
    sys.stderr.write(f'error: {line}\n')
    sys.exit(2)


def refuse_odd_numbers(gpus: str) -> None:
    """Say in one line what torchrun would meet with a traceback: numbers that are none, a port in use."""
    env = os.environ
    machines, node = env.get('NNODES', '1'), env.get('NODE_RANK', '0')
    port = env.get('PORT') or ('29500' if machines != '1' else '')
    for name, value, least in (('GPUS', gpus, 1), ('NNODES', machines, 1), ('NODE_RANK', node, 0), ('PORT', port, 1)):
        if (name, value) == ('PORT', '') or value in _WORDS.get(name, ()):
            continue
        if not value.isdecimal() or int(value) < least:
            refuse(f'{name} is {value!r}: give a whole number of at least {least}')
    if int(node) >= int(machines):
        refuse(f'NODE_RANK is {node}, but NNODES is {machines}: they count from 0')
    if port and int(port) > _LAST_PORT:
        refuse(f'PORT is {port}: give at most {_LAST_PORT}')
    if port and node == '0':
        with socket.socket() as meeting:
            meeting.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                meeting.bind(('', int(port)))
            except OSError as error:
                refuse(f'port {port} cannot be used ({error.strerror}): set PORT to another')


def torchrun(gpus: str, script: str, arguments: list[str], restarts: str) -> list[str]:
    """The command that starts the processes."""
    env = os.environ
    machines = env.get('NNODES', '1')
    if machines == '1' and not env.get('PORT'):
        meeting = ['--rdzv_backend', 'c10d', '--rdzv_endpoint', '127.0.0.1:0']  # finds a free port
    else:
        meeting = [
            '--node_rank',
            env.get('NODE_RANK', '0'),
            '--master_addr',
            env.get('MASTER_ADDR', '127.0.0.1'),
            '--master_port',
            env.get('PORT', '29500'),
        ]
    return [
        sys.executable,
        '-m',
        'torch.distributed.run',
        '--nnodes',
        machines,
        *meeting,
        '--nproc_per_node',
        gpus,
        '--max-restarts',
        restarts,
        script,
        *arguments,
        '--launcher',
        'pytorch',
    ]


def run(command: list[str], words: str) -> tuple[int, int | None]:
    """Run torchrun; its status, and the signal that this program passed on to it."""
    received: list[int] = []
    ours = {'SDPOSE_LAST_WORDS': words, 'SDPOSE_LAUNCHED': str(time.time())}

    def end_with_parent() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    # In a session of its own: a terminal's Ctrl-C comes here alone and is passed on once.
    child = subprocess.Popen(command, env={**os.environ, **ours}, start_new_session=True, preexec_fn=end_with_parent)

    def forward(number: int, frame: Any) -> None:
        if not received:
            received.append(number)
            child.send_signal(number)

    for number in _FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, forward)
    status = child.wait()
    if status < 0:  # killed itself: the kernel has asked the processes to end
        deadline = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < deadline and any(word['kind'] == 'begun' for word in read_words(words).values()):
            time.sleep(0.1)
    return status, received[0] if received else None


def read_words(folder: str) -> dict[int, dict[str, Any]]:
    """By rank, what each process of the last start has left."""
    found = {
        tuple(map(int, path.stem.split('-'))): json.loads(path.read_text()) for path in Path(folder).glob('*.json')
    }
    last = max((restart for restart, _ in found), default=0)
    return {rank: word for (restart, rank), word in sorted(found.items()) if restart == last}


def last_word(words: dict[int, dict[str, Any]], received: int | None) -> tuple[int, str]:
    """The status and the line that tell the cause: a mistake, else a defect, else who went without a word."""
    kinds = {
        kind: {rank: word for rank, word in words.items() if word['kind'] == kind}
        for kind in ('error', 'defect', 'begun', 'stopped')
    }
    own_faults = [word for word in kinds['error'].values() if not word['lost']]
    if received is not None and not own_faults:
        word = next(iter(kinds['stopped'].values()), None)
        return (
            (word['status'], word['line']) if word else (128 + received, f'stopped by {signal.Signals(received).name}')
        )
    if kinds['error']:
        # Others only lost the connection to the one that knows why.
        word = min(kinds['error'].values(), key=lambda word: word['lost'])
        return word['status'], word['line']
    if kinds['defect']:
        rank, word = next(iter(kinds['defect'].items()))
        return 1, f'error: rank {rank} failed, its traceback is above: {word["line"]}'
    if kinds['begun']:
        ranks = ', '.join(map(str, kinds['begun']))
        return 1, f'error: rank {ranks} ended without a word: killed, perhaps for lack of memory'
    if kinds['stopped']:
        word = next(iter(kinds['stopped'].values()))
        return word['status'], word['line']
    return 1, 'error: no process came to its work, see above'


def main() -> int:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    gpus, script, *arguments = sys.argv[1:]
    arguments, restarts = split_restarts(arguments)
    refuse_odd_numbers(gpus)
    with tempfile.TemporaryDirectory(prefix='sdpose-') as folder:
        status, received = run(torchrun(gpus, script, arguments, restarts), folder)
        if status == 0:
            return 0
        status, line = last_word(read_words(folder), received)
    sys.stderr.write(f'{line}\n')
    return status


if __name__ == '__main__':
    sys.exit(main())
