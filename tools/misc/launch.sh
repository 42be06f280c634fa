#!/usr/bin/env bash
# Start processes that find each other, for dist_train.sh and dist_test.sh: launch.sh GPUS SCRIPT [arguments]
# GPUS is the number of processes on this machine; without a GPU they run on the CPU and talk over gloo.
# Several machines: start it on each with NNODES, NODE_RANK (0 on the first), MASTER_ADDR and PORT set.
set -euo pipefail
# One thread per process is what torchrun and MMEngine set as well, after a warning each.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" MKL_NUM_THREADS="${MKL_NUM_THREADS:-1}"
exec "${PYTHON:-python}" "$(dirname "${BASH_SOURCE[0]}")/launch.py" "$@"
