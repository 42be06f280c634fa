# The steps of tools/install.sh, which sources this file after choosing the environment.
# It sets ROOT, FACTS (environment.py), ENV (the environment's folder) and PY (its Python), LOG, and fail.

# Runs a command with its output in the log and says every 15 seconds that it goes on: step TITLE COMMAND...
step() {
    local title="$1" began=$SECONDS status=0 pid
    shift
    printf '  %s ...\n' "$title"
    printf '\n== %s\n$ %s\n' "$title" "$*" >>"$LOG"
    "$@" >>"$LOG" 2>&1 </dev/null &
    pid=$!
    CHILD=$pid
    while kill -0 "$pid" 2>/dev/null; do
        sleep 1
        if [ $(((SECONDS - began) % 15)) = 14 ]; then
            printf '      %d s: %s\n' $((SECONDS - began)) "$(tail -n 1 "$LOG" | cut -c 1-80)"
        fi
    done
    wait "$pid" || status=$?
    CHILD=''
    [ "$status" = 0 ] && return 0
    return "$status"
}

# A step without which nothing goes on: need TITLE ADVICE COMMAND...
need() {
    local title="$1" advice="$2"
    shift 2
    step "$title" "$@" && return 0
    printf '\ninstall.sh: this step failed: %s\n' "$title" >&2
    printf 'The end of its output (all of it: %s):\n\n' "$LOG" >&2
    tail -n 15 "$LOG" | cut -c 1-300 | sed 's/^/    /' >&2
    printf '\n%s\nRunning install.sh again continues here.\n' "$advice" >&2
    exit 1
}

NETWORK='If a package could not be fetched, check the network and the index that pip is configured for
(pip config list).'

pip_install() {
    "$PY" -m pip install --no-input --progress-bar off --disable-pip-version-check \
        --root-user-action=ignore "$@"
}

# pinned NAME: the requirement as it stands in mminstall.txt, such as mmpose==1.3.2
pinned() {
    grep -E "^$1==" "$ROOT/requirements/mminstall.txt"
}

installed() {
    "$PY" "$FACTS" version "$1"
}

compiles() {
    local source object
    source="$(mktemp "${TMPDIR:-/tmp}/sdpose-XXXXXX.c")"
    object="${source%.c}.o"
    echo '#include <Python.h>' >"$source"
    # shellcheck disable=SC2046
    $("$PY" -c 'import os, sysconfig as s; print(os.environ.get("CC") or s.get_config_var("CC") or "cc")') \
        -I"$("$PY" -c 'import sysconfig; print(sysconfig.get_path("include"))')" -c "$source" -o "$object" \
        >>"$LOG" 2>&1
    local status=$?
    rm -f "$source" "$object"
    return $status
}

# xtcocotools' wheels were made for NumPy 1. Beside NumPy 2 it must be compiled; without a compiler, NumPy
# stays below 2.
choose_numpy() {
    if compiles; then
        COMPILER=yes LIMITS=('numpy>=2,<3')
        return
    fi
    case "$(python_version "$PY")" in
        3.12.*) fail "xtcocotools must be compiled for Python 3.12, and no working C compiler with Python's
    headers was found (log: $LOG). Install gcc and the python3-dev package, or use Python 3.10 or 3.11:
    bash tools/install.sh --python python3.11" ;;
    esac
    echo '  no working C compiler: the wheel of xtcocotools is used, which needs NumPy below 2'
    # OpenCV from 4.12 on asks for NumPy 2.
    COMPILER=no LIMITS=('numpy>=1.26,<2' 'opencv-python<4.12')
}

imports() {
    (cd / && OMP_NUM_THREADS=1 "$PY" -c "$1") >>"$LOG" 2>&1
}

# torchvision imports only beside the very build of torch it was made for, so importing it is the test.
pair_imports() {
    imports 'import torch, torchvision; assert [int(n) for n in torch.__version__.split(".")[:2]] >= [2, 4]'
}

install_torch() {
    local torch vision
    torch="$(installed torch)"
    if [ -n "$torch" ] && [ -n "$(installed torchvision)" ] && pair_imports; then
        echo "  torch $torch and torchvision $(installed torchvision) are there and fit"
        return
    fi
    if [ -n "$torch" ] && imports 'import torch' &&
        vision="$("$PY" "$FACTS" torchvision-for "$torch" 2>/dev/null)"; then
        # A torch of another build ("2.13.0+cpu") needs a torchvision of the same, where the index has one.
        case "$torch" in *+*) vision="$vision+${torch#*+}" ;; esac
        step "torchvision $vision for the installed torch $torch" \
            pip_install "torchvision==$vision" "torch===$torch" "${LIMITS[@]}" || true
        pair_imports && return
        echo "  torch $torch is too old (2.4 is needed) or no torchvision fits it: both are replaced"
    fi
    need "torch and torchvision (3 GB, a minute on a fast line)" "$NETWORK" \
        pip_install --upgrade "$(pinned torch)" "$(pinned torchvision)" "${LIMITS[@]}"
    pair_imports && return
    # What is installed may carry these very versions and still be of another build ("2.12.1+cpu").
    step 'removing torch and torchvision' "$PY" -m pip uninstall --yes torch torchvision || true
    need 'torch and torchvision once more, from scratch' "$NETWORK" \
        pip_install "$(pinned torch | sed 's/==/===/')" "$(pinned torchvision | sed 's/==/===/')" \
        "${LIMITS[@]}"
}

install_xtcocotools() {
    local check='import xtcocotools.mask, xtcocotools.coco'
    [ -n "$(installed xtcocotools)" ] && imports "$check" && return
    if [ "$COMPILER" = yes ]; then
        # No cache: a copy that was built beside another NumPy would be taken from it.
        need 'xtcocotools, compiled against the installed NumPy' "$NETWORK" \
            pip_install --no-deps --force-reinstall --no-build-isolation --no-cache-dir \
            --no-binary xtcocotools "$(pinned xtcocotools)"
    else
        need 'xtcocotools, from its wheel' "$NETWORK" \
            pip_install --no-deps --force-reinstall --no-cache-dir --only-binary xtcocotools \
            "$(pinned xtcocotools)"
    fi
}

# mmengine asks for opencv-python, which needs the machine's libGL and libX11; where they are absent, as on
# many servers, the build without windows takes its place. Both at once would overwrite each other's files.
repair_opencv() {
    imports 'import cv2' && return
    # Any other trouble is for the doctor to name.
    tail -n 1 "$LOG" | grep -q 'lib.*\.so' || return 0
    local version
    version="$(installed opencv-python)"
    echo '  OpenCV does not import here (a library of its windows is missing): its build without windows takes its place'
    step 'removing opencv-python' "$PY" -m pip uninstall --yes opencv-python || true
    need 'opencv-python-headless' "$NETWORK" \
        pip_install --no-deps --force-reinstall "opencv-python-headless${version:+==$version}"
}

# What an interrupted or damaged installation left behind is installed again over it.
repair_incomplete() {
    local broken
    mapfile -t broken < <("$PY" "$FACTS" incomplete 2>>"$LOG" | grep -v '^sdpose==' | grep .)
    [ ${#broken[@]} -gt 0 ] || return 0
    if printf '%s\n' "${broken[@]}" | grep -q '^xtcocotools=='; then
        "$PY" -m pip uninstall --yes xtcocotools >>"$LOG" 2>&1 || true
        mapfile -t broken < <(printf '%s\n' "${broken[@]}" | grep -v '^xtcocotools==')
    fi
    [ ${#broken[@]} -gt 0 ] || return 0
    need "again, because files are missing: ${broken[*]}" "$NETWORK" \
        pip_install --ignore-installed --no-deps "${broken[@]}"
}

install_packages() {
    # Pillow, because torchvision does not import without it, and importing it is the test of the pair.
    need 'build tools, NumPy and Pillow' "$NETWORK" \
        pip_install -r "$ROOT/requirements/build.txt" pillow "${LIMITS[@]}"
    repair_incomplete
    install_torch
    need 'mmengine, OpenCV, SciPy and other libraries' "$NETWORK" \
        pip_install -r "$ROOT/requirements/runtime.txt" "${LIMITS[@]}"
    if [ -n "$(installed mmcv)" ]; then
        echo "  mmcv $(installed mmcv) with its compiled ops is there and is used"
    else
        need 'mmcv-lite' "$NETWORK" pip_install "$(pinned mmcv-lite)" "${LIMITS[@]}"
    fi
    # Without its dependencies: it lists chumpy, whose build fails and which it never imports.
    need 'mmpose' "$NETWORK" pip_install --no-deps "$(pinned mmpose)"
    install_xtcocotools
    # After everything that asks for opencv-python, or it would come back.
    repair_opencv
    need 'the project itself, editable' 'The checkout may be damaged: git status.' \
        pip_install --no-deps --no-build-isolation --editable "$ROOT"
}
