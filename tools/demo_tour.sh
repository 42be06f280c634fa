#!/usr/bin/env bash
# A tour of the pictures that the project makes, after tools/quickstart.sh: bash tools/demo_tour.sh [FOLDER]
# FOLDER (default: work_dirs/tour) gets index.html, which shows them with a sentence each, and the pictures.
# The environment is .venv, or the folder that SDPOSE_ENV names (SDPOSE_ENV=active: the active one); the quick start's
# results are in work_dirs/quick_start, or in WORK_DIR, its people in data/synthetic_starter, or in DATA.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
OUT="$(realpath -m "${1:-$ROOT/work_dirs/tour}")"
cd "$ROOT"
ENV="${SDPOSE_ENV:-.venv}"
PY="$([ "$ENV" = active ] && command -v python || echo "$(cd "$ENV" && pwd)/bin/python")"
RUN="${WORK_DIR:-work_dirs/quick_start}"
DATA="${DATA:-data/synthetic_starter}"
NAME=sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48
STUDENT=distilpose-tiny_stemnet_1xb32-30e_synthetic-64x48
if [ ! -f "$RUN/last_checkpoint" ] || [ ! -d "$DATA/val" ]; then
    echo "demo_tour.sh: $RUN or $DATA is missing: run tools/quickstart.sh first" >&2
    exit 2
fi
CHECKPOINT="$(cat "$RUN/last_checkpoint")"
mkdir -p "$OUT"
PICTURE="$DATA/val/000001000001.jpg"
PERSON=(--bbox 104 34 77 206)  # the one in the middle of it
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

# look TOOL ARGUMENTS...
look() { "$PY" "tools/visualization/$1.py" "${@:2}" --out "$OUT"; }

poses() {
    "$PY" tools/demo.py "$DATA"/val/00000100000[1-4].jpg --config "$NAME" --weights "$CHECKPOINT" \
        --boxes "$DATA/annotations/val.json" --out "$OUT/poses" --save-images --save-json
    look patch_attention "$NAME" "$CHECKPOINT" "$PICTURE" --layer 0 "${PERSON[@]}"
    look joint_attention "$NAME" "$CHECKPOINT" "$PICTURE" "${PERSON[@]}"
    look compare_cycles "$NAME" "$CHECKPOINT" "$PICTURE" "${PERSON[@]}"
}

# A student of the quick start's model, trained for a few epochs only.
students() {
    "$PY" tools/train.py "$STUDENT" --work-dir "$OUT/student" --no-validate --cfg-options max_epochs=3 data_root="$DATA/" \
        model.distiller.checkpoint="$CHECKPOINT" default_hooks.checkpoint.interval=3 default_hooks.checkpoint.save_best=None
    look compare_teacher "$STUDENT" "$OUT/student/epoch_3.pth" "$PICTURE" --teacher "$CHECKPOINT" "${PERSON[@]}"
    look parameter_histogram "$NAME" "$CHECKPOINT" "$OUT/student/epoch_3.pth" --other-config "$STUDENT"
    look pruned_patches "$NAME" "$CHECKPOINT" "$PICTURE" "${PERSON[@]}" --cfg-options \
        'model.neck.pruner={type: TokenPruner, keep_ratio: 0.5, layers: [0], cycles: [1]}'
    look accuracy_against_complexity
}

echo "making pictures in $OUT (about two minutes on two cores) ..."
poses >"$OUT/poses.log" 2>&1 &
students >"$OUT/students.log" 2>&1 || { tail -3 "$OUT/students.log" >&2; exit 1; }
wait $! || { tail -3 "$OUT/poses.log" >&2; exit 1; }

# shown FILE TITLE SENTENCE
shown() {
    [ -f "$OUT/$1" ] || { echo "demo_tour.sh: $1 was not made, see $OUT/*.log" >&2; exit 1; }
    printf '<figure><h2>%s</h2><a href="%s"><img src="%s" alt="%s"></a><figcaption>%s</figcaption></figure>\n' \
        "$2" "$1" "$1" "$2" "$3"
}

{
    cat <<'HTML'
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A tour of SDPose</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 0 0 3rem; }
h2 { margin-bottom: .5rem; font-size: 1.2rem; }
img { max-width: 100%; height: auto; background: #fff; border-radius: .5rem; }
figcaption { margin-top: .5rem; max-width: 42rem; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1rem; }
.row figure { margin: 0; } .row h2, .row figcaption { display: none; }
</style></head><body>
<h1>A tour of SDPose</h1>
<p>Made from the quick start's checkpoint, a very small model that has seen nothing but drawn people. Each picture is one
command; what it shows and how to read it is in <code>tools/visualization/README.md</code>.</p>
<h2>Poses (tools/demo.py)</h2><div class="row">
HTML
    for NUMBER in 1 2 3 4; do
        shown "poses/visualizations/00000100000$NUMBER.jpg" "Poses of picture $NUMBER" ''
    done
    echo '</div><p>Joints of every annotated box, several pictures in one batch.</p>'
    STEM="$(basename "$PICTURE" .jpg)"
    shown "$STEM-patch-attention.png" 'What each joint attends to' \
        'The attention of the joints over the patches in one layer, averaged over heads, in both cycles.'
    shown "$STEM-joint-attention.png" 'Which joints read each other' \
        'The row attends to the column; what is missing to 1 goes to patches.'
    shown "$STEM-cycles.png" 'Does the later cycle still teach?' \
        'What each cycle predicts, and how far joints and tokens move from one to the next.'
    shown "$STEM-pruned-patches.png" 'What survives pruning' \
        'Half of the patches leave behind the only layer of cycle 1, by the attention of the joints; the model was not trained for it.'
    shown "$STEM-teacher.png" 'A student beside its teacher' \
        'DistilPose after three epochs: the student regresses joints and their uncertainty, the teacher, the model above, has heatmaps.'
    shown "$NAME-parameters.png" 'The weights of two models' \
        'The model and the young student over each other, layer by layer; in brackets the share near zero.'
    shown coco-ap-complexity.png 'Accuracy against size' \
        'Every model with a published COCO result, from the metafiles; hollow points are quoted.'
    echo '</body></html>'
} >"$OUT/index.html.part"
mv "$OUT/index.html.part" "$OUT/index.html"
echo "$OUT/index.html"
