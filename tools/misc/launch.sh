#!/usr/bin/env bash
# Start processes that find each other, for dist_train.sh and dist_test.sh: launch.sh GPUS SCRIPT [arguments]
# GPUS is the number of processes on this machine; without a GPU they run on the CPU and talk over gloo.
# Several machines: start it on each with NNODES, NODE_RANK (0 on the first), MASTER_ADDR and PORT set.
set -euo pipefail
# One thread per process is what torchrun and MMEngine set as well, after a warning each.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" MKL_NUM_THREADS="${MKL_NUM_THREADS:-1}"
# Alone on a machine, without PORT, a free port is found.
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meeting=(--rdzv_backend c10d --rdzv_endpoint 127.0.0.1:0)
else
    meeting=(--node_rank "${NODE_RANK:-0}" --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "${PORT:-29500}")
fi
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes "${NNODES:-1}" "${meeting[@]}" --nproc_per_node "$1" "$2" "${@:3}" --launcher pytorch
