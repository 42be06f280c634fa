#!/usr/bin/env bash
# Installs the project and everything it needs; see usage below.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
FACTS="$ROOT/tools/misc/environment.py"
STARTED=$SECONDS

usage() {
    cat <<'TEXT'
usage: bash tools/install.sh [FOLDER] [--no-venv] [--python PY]

Makes a virtual environment in FOLDER (default: .venv in the checkout) and installs the project there with pip:
torch and torchvision, mmengine, mmcv-lite, mmpose, xtcocotools, and the project itself (editable).

  --no-venv     install into the active environment instead of making one
  --python PY   the Python to use, 3.10 to 3.12 (default: python3, else the newest fitting one that is found)

A second run does nothing; an interrupted or damaged installation is continued or repaired. For another build of
torch, install torch and torchvision into the environment first: a pair that imports is kept. Nothing needs root.
TEXT
}

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

parse_arguments() {
    FOLDER='' USE_VENV=yes PYTHON=''
    while [ $# -gt 0 ]; do
        case "$1" in
            -h|--help) usage; exit 0 ;;
            --no-venv) USE_VENV=no ;;
            --python) [ $# -gt 1 ] || fail '--python needs a value, such as --python python3.11'; PYTHON="$2"; shift ;;
            --python=*) PYTHON="${1#*=}" ;;
            -*) usage >&2; fail "unknown option $1" ;;
            *) [ -z "$FOLDER" ] || fail "two folders given: $FOLDER and $1"; FOLDER="$1" ;;
        esac
        shift
    done
    [ "$USE_VENV" = yes ] || [ -z "$FOLDER" ] || fail "--no-venv uses the active environment; drop the folder $FOLDER"
    [ "$(uname -s)" = Linux ] || fail "Linux is needed; this is $(uname -s)"
}

python_version() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || true
}

fits() {
    case "$(python_version "$1")" in 3.10.*|3.11.*|3.12.*) return 0 ;; *) return 1 ;; esac
}

# Sets PYTHON to a Python of a version that every dependency has a build for.
find_python() {
    local candidate seen
    if [ -n "$PYTHON" ]; then
        command -v "$PYTHON" >/dev/null || fail "--python $PYTHON: no such program"
        fits "$PYTHON" || fail "--python $PYTHON is Python $(python_version "$PYTHON"); 3.10, 3.11 or 3.12 is needed"
        return
    fi
    if [ "$USE_VENV" = no ]; then
        PYTHON="$(command -v python || command -v python3 || true)"
        [ -n "$PYTHON" ] || fail '--no-venv: no python in the active environment'
        fits "$PYTHON" || fail "--no-venv: the active Python is $(python_version "$PYTHON"); 3.10, 3.11 or 3.12 is needed"
        return
    fi
    for candidate in python3 python3.12 python3.11 python3.10 "$HOME"/.pyenv/versions/3.1[210].*/bin/python; do
        if command -v "$candidate" >/dev/null && fits "$candidate"; then
            PYTHON="$candidate"
            return
        fi
    done
    seen="$(command -v python3 >/dev/null && python_version python3 || true)"
    fail "Python 3.10, 3.11 or 3.12 is needed; python3 is ${seen:-absent}. Install one of them, or name it:
    bash tools/install.sh --python /path/to/python3.11"
}

# Sets PY, the Python to install into, and ENV, the folder of its environment.
enter_environment() {
    if [ "$USE_VENV" = no ]; then
        find_python
        PY="$(command -v "$PYTHON")"
        ENV="$("$PY" -c 'import sys; print(sys.prefix)')"
    else
        ENV="${FOLDER:-$ROOT/.venv}"
        # What belongs to another environment must not leak into this one.
        unset PYTHONPATH PYTHONHOME
        export PYTHONNOUSERSITE=1 PIP_USER=0
        make_venv
        ENV="$(cd "$ENV" && pwd)"
        PY="$ENV/bin/python"
    fi
    LOG="$ENV/sdpose-install.log"
    [ -w "$ENV" ] || LOG="$(mktemp "${TMPDIR:-/tmp}/sdpose-install.XXXXXX")"
    STAMP="$ENV/.sdpose-installed"
}

make_venv() {
    if [ -e "$ENV" ] && [ ! -e "$ENV/pyvenv.cfg" ] && [ -n "$(ls -A "$ENV")" ]; then
        fail "$ENV exists and is no virtual environment; name another folder"
    fi
    if [ -e "$ENV/pyvenv.cfg" ] && [ -e "$ENV/bin/python" ] && ! fits "$ENV/bin/python"; then
        fail "$ENV holds Python $(python_version "$ENV/bin/python"); 3.10, 3.11 or 3.12 is needed: name another folder"
    fi
    if fits "$ENV/bin/python" && "$ENV/bin/python" -m pip --version >/dev/null 2>&1; then
        if [ -n "$PYTHON" ]; then
            find_python
            local have wanted
            have="$(python_version "$ENV/bin/python")" wanted="$(python_version "$PYTHON")"
            [ "$have" = "$wanted" ] || fail "$ENV holds Python $have, not $wanted; name another folder or remove it"
        fi
        return
    fi
    find_python
    echo "Python $(python_version "$PYTHON") ($(command -v "$PYTHON"))"
    echo "virtual environment in $ENV"
    "$PYTHON" -m venv "$ENV" || fail "the virtual environment could not be made. Where Python comes from the
    system's packages, its venv module is one of its own (python3-venv); or use an environment of yours with --no-venv"
}

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
            printf '      %d s: %s\n' $((SECONDS - began)) "$(tail -n 1 "$LOG" | tr '\r' '\n' | tail -n 1 | cut -c 1-80)"
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
    printf '\ninstall.sh: this step failed: %s\nThe end of its output (all of it: %s):\n\n' "$title" "$LOG" >&2
    tail -n 15 "$LOG" | cut -c 1-300 | sed 's/^/    /' >&2
    printf '\n%s\nRunning install.sh again continues here.\n' "$advice" >&2
    exit 1
}

NETWORK='If a package could not be fetched, check the network and the index that pip is configured for (pip config list).'

pip_install() {
    "$PY" -m pip install --no-input --progress-bar off --disable-pip-version-check --root-user-action=ignore "$@"
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

# xtcocotools' wheels were made for NumPy 1. Beside NumPy 2 it must be compiled; without a compiler, NumPy stays below 2.
choose_numpy() {
    if compiles; then
        COMPILER=yes LIMITS=('numpy>=2,<3')
        return
    fi
    case "$(python_version "$PY")" in
        3.12.*) fail "xtcocotools must be compiled for Python 3.12, and no working C compiler with Python's headers was
    found (log: $LOG). Install gcc and the python3-dev package, or use Python 3.10 or 3.11:
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
    imports 'import torch, torchvision; assert int(torch.__version__.split(".")[1]) >= 4 or torch.__version__[0] > "2"'
}

install_torch() {
    local torch vision
    torch="$(installed torch)"
    if [ -n "$torch" ] && [ -n "$(installed torchvision)" ] && pair_imports; then
        echo "  torch $torch and torchvision $(installed torchvision) are there and fit"
        return
    fi
    if [ -n "$torch" ] && imports 'import torch' && vision="$("$PY" "$FACTS" torchvision-for "$torch" 2>/dev/null)"; then
        # A torch of another build ("2.13.0+cpu") needs a torchvision of the same build, where the index has one.
        case "$torch" in *+*) vision="$vision+${torch#*+}" ;; esac
        step "torchvision $vision for the installed torch $torch" pip_install --no-deps "torchvision==$vision" || true
        pair_imports && return
        echo "  no torchvision fits the installed torch $torch: both are replaced"
    fi
    need "torch and torchvision (3 GB, a minute on a fast line)" "$NETWORK" \
        pip_install --upgrade "$(pinned torch)" "$(pinned torchvision)" "${LIMITS[@]}"
    pair_imports || need 'torch and torchvision once more, from scratch' "$NETWORK" \
        pip_install --force-reinstall --no-deps "$(pinned torch)" "$(pinned torchvision)"
}

install_xtcocotools() {
    local check='import xtcocotools.mask, xtcocotools.coco'
    [ -n "$(installed xtcocotools)" ] && imports "$check" && return
    if [ "$COMPILER" = yes ]; then
        # No cache: a copy that was built beside another NumPy would be taken from it.
        need 'xtcocotools, compiled against the installed NumPy' "$NETWORK" pip_install --no-deps --force-reinstall \
            --no-build-isolation --no-cache-dir --no-binary xtcocotools "$(pinned xtcocotools)"
    else
        need 'xtcocotools, from its wheel' "$NETWORK" pip_install --no-deps --force-reinstall --no-cache-dir \
            --only-binary xtcocotools "$(pinned xtcocotools)"
    fi
}

# mmengine asks for opencv-python, which needs the machine's libGL; a server without one gets the build without windows.
repair_opencv() {
    imports 'import cv2' && return
    local version
    version="$(installed opencv-python)"
    echo '  OpenCV does not import here (no libGL): its build without windows takes its place'
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
    need "again, because files are missing: ${broken[*]}" "$NETWORK" pip_install --ignore-installed --no-deps "${broken[@]}"
}

install_packages() {
    need 'build tools and NumPy' "$NETWORK" pip_install -r "$ROOT/requirements/build.txt" "${LIMITS[@]}"
    repair_incomplete
    install_torch
    need 'mmengine, OpenCV, SciPy and other libraries' "$NETWORK" \
        pip_install -r "$ROOT/requirements/runtime.txt" "${LIMITS[@]}"
    repair_opencv
    if [ -n "$(installed mmcv)" ]; then
        echo "  mmcv $(installed mmcv) with its compiled ops is there and is used"
    else
        need 'mmcv-lite' "$NETWORK" pip_install "$(pinned mmcv-lite)" "${LIMITS[@]}"
    fi
    # Without its dependencies: it lists chumpy, whose build fails and which it never imports.
    need 'mmpose' "$NETWORK" pip_install --no-deps "$(pinned mmpose)"
    install_xtcocotools
    need 'the project itself, editable' 'The checkout may be damaged: git status.' \
        pip_install --no-deps --no-build-isolation --editable "$ROOT"
}

already_installed() {
    [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$("$PY" "$FACTS" stamp 2>/dev/null)" ] &&
        [ -z "$("$PY" "$FACTS" incomplete 2>/dev/null)" ] && (cd / && "$PY" "$ROOT/tools/misc/doctor.py") >"$LOG.doctor" 2>&1
}

say_how_to_go_on() {
    echo "$1 ($((SECONDS - STARTED)) s)."
    [ "$USE_VENV" = no ] || echo "Use it with:  source \"$ENV/bin/activate\""
}

main() {
    parse_arguments "$@"
    enter_environment
    # Two installations into one environment would destroy each other's files.
    if command -v flock >/dev/null && [ -w "$ENV" ]; then
        exec 9>"$ENV/.sdpose-lock"
        flock -n 9 || { echo 'another install.sh works on this environment; waiting for it'; flock 9; }
    fi
    if already_installed; then
        say_how_to_go_on "Everything is installed in $ENV"
        return
    fi
    echo "installing into $ENV (log: $LOG)"
    : >"$LOG"
    choose_numpy
    install_packages
    if ! (cd / && "$PY" "$ROOT/tools/misc/doctor.py"); then
        fail "the packages are installed, but the table above names what does not work (log: $LOG)"
    fi
    "$PY" "$FACTS" stamp >"$STAMP.new" && mv "$STAMP.new" "$STAMP"
    echo 'pip check names chumpy, which mmpose lists and never imports; nothing else should be missing.'
    say_how_to_go_on 'Installed'
}

CHILD=''
trap '[ -z "$CHILD" ] || kill "$CHILD" 2>/dev/null || true' EXIT
main "$@"
