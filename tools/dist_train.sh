#!/usr/bin/env bash
# Train with several processes: bash tools/dist_train.sh CONFIG GPUS [options of tools/train.py] [--max-restarts N]
# How the processes are started, on one machine or several, is said in misc/launch.sh.
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: bash tools/dist_train.sh CONFIG GPUS [options of tools/train.py] [--max-restarts N]" >&2
    exit 2
fi
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
exec bash "$tools/misc/launch.sh" "$2" "$tools/train.py" "$1" "${@:3}"
