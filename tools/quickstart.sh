#!/usr/bin/env bash
# From nothing to a trained, tested SDPose: bash tools/quickstart.sh [options of tools/train.py]
# Installs where needed, draws synthetic people, trains a small SDPose on the CPU, tests it by COCO mAP, draws predictions.
# The environment is .venv in the checkout, or the folder that SDPOSE_ENV names; SDPOSE_ENV=active takes the active one.
# Results go to work_dirs/quick_start, or the folder that WORK_DIR names.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"
CONFIG=configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py
DATA=data/synthetic_starter
WORK_DIR="${WORK_DIR:-work_dirs/quick_start}"

case " $* " in *" --work-dir"*)
    echo 'quickstart.sh: name the results folder by WORK_DIR=FOLDER, not by --work-dir' >&2
    exit 2 ;;
esac

step() { printf '\n== %s\n' "$*"; }

ENV="${SDPOSE_ENV:-.venv}"
step '1/5 installing'
if [ "$ENV" = active ]; then
    bash tools/install.sh --no-venv
    PY="$(command -v python || command -v python3)"
else
    unset PYTHONPATH PYTHONHOME
    bash tools/install.sh "$ENV"
    PY="$(cd "$ENV" && pwd)/bin/python"
fi

# One thread computes while the loader's process has the other core; waiting threads must not spin on it.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE

step "2/5 drawing synthetic people into $DATA"
BEGIN=$SECONDS
"$PY" tools/dataset_tools/make_synthetic.py --out "$DATA" --num-train 1500 --num-val 200 --seed 0 --level starter \
    --size 320x240
DRAWING=$((SECONDS - BEGIN))

step "3/5 training $CONFIG"
BEGIN=$SECONDS
"$PY" tools/train.py "$CONFIG" --work-dir "$WORK_DIR" "$@"
TRAINING=$((SECONDS - BEGIN))
CHECKPOINT="$(cat "$WORK_DIR/last_checkpoint")"

step "4/5 testing $CHECKPOINT"
LOG="$WORK_DIR/test.log"
# The config as it was trained, options included.
"$PY" tools/test.py "$WORK_DIR/$(basename "$CONFIG")" "$CHECKPOINT" --work-dir "$WORK_DIR/test" --out "$WORK_DIR/results.json" 2>&1 | tee "$LOG"

step '5/5 drawing predictions'
"$PY" tools/misc/draw_predictions.py "$WORK_DIR/$(basename "$CONFIG")" "$WORK_DIR/results.json" "$WORK_DIR/predictions.png"

score() { grep -o "coco/$1: [0-9.]*" "$LOG" | tail -1; }
cat <<TEXT

SDPose was trained in $TRAINING s (drawing the people: $DRAWING s, everything: $SECONDS s).
$(score AP)
$(score 'AP .5')
checkpoint:   $CHECKPOINT
log:          $(ls -t "$WORK_DIR"/*/*.log | grep -v "^$WORK_DIR/test/" | head -1)
results:      $WORK_DIR/results.json
predictions:  $WORK_DIR/predictions.png
people:       $DATA/contact_sheet.png
TEXT
