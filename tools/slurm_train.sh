#!/usr/bin/env bash
# Train on a Slurm cluster: bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [options of tools/train.py]
# GPUS (8), GPUS_PER_NODE (8), CPUS_PER_TASK (5) and SRUN_ARGS are read from the environment.
# Slurm ends a job by SIGTERM when it is preempted or at its time limit; the training saves and ends with status 143. Within a
# batch job (sbatch --requeue ... tools/slurm_train.sh ...) the job is then queued again, and goes on from what was saved.
set -euo pipefail
if [ $# -lt 4 ]; then
    echo "usage: bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [options of tools/train.py]" >&2
    exit 2
fi
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
gpus="${GPUS:-8}"
per_node="${GPUS_PER_NODE:-8}"
[ "$gpus" -lt "$per_node" ] && per_node="$gpus"
status=0
trap : TERM  # a batch script gets the signal as well; what counts is how the training ends
# SRUN_ARGS is meant to be split into words.
# shellcheck disable=SC2086
srun -p "$1" --job-name="$2" --gres="gpu:$per_node" --ntasks="$gpus" --ntasks-per-node="$per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$tools/train.py" "$3" --work-dir "$4" --launcher slurm "${@:5}" || status=$?
if [ "$status" = 143 ]; then
    if [ -z "${SLURM_JOB_ID:-}" ]; then
        echo 'slurm_train.sh: the training was saved; start it again with --resume' >&2
    elif ! scontrol show job "$SLURM_JOB_ID" | grep -q 'JobState=CANCELLED'; then  # not scancel
        scontrol requeue "$SLURM_JOB_ID" &&
            echo "slurm_train.sh: the training was saved, job $SLURM_JOB_ID is queued again" >&2
    fi
fi
exit "$status"
