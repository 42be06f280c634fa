#!/usr/bin/env bash
# Evaluate with several processes: bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]
# How the processes are started, on one machine or several, is said in misc/launch.sh.
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]" >&2
    exit 2
fi
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
exec bash "$tools/misc/launch.sh" "$3" "$tools/test.py" "$1" "$2" "${@:4}"
