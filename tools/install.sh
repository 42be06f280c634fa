#!/usr/bin/env bash
# Installs the project and everything it needs; see usage below.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
FACTS="$ROOT/tools/misc/environment.py"
STARTED=$SECONDS
NEEDED='3.10, 3.11 or 3.12 is needed'
# shellcheck source=misc/install_steps.sh
. "$ROOT/tools/misc/install_steps.sh"

usage() {
    cat <<'TEXT'
usage: bash tools/install.sh [FOLDER] [--no-venv] [--python PY]

Makes a virtual environment in FOLDER (default: .venv in the checkout) and installs the project there with
pip: torch and torchvision, mmengine, mmcv-lite, mmpose, xtcocotools, and the project itself (editable).

  --no-venv     install into the active environment instead of making one
  --python PY   the Python to use, 3.10 to 3.12 (default: python3, else the newest fitting one that is found)

A second run does nothing; an interrupted or damaged installation is continued or repaired. For another build
of torch, install torch and torchvision into the environment first: a pair that imports is kept. Nothing
needs root.
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
            --python)
                [ $# -gt 1 ] || fail '--python needs a value, such as --python python3.11'
                PYTHON="$2"
                shift ;;
            --python=*) PYTHON="${1#*=}" ;;
            -*) usage >&2; fail "unknown option $1" ;;
            *) [ -z "$FOLDER" ] || fail "two folders given: $FOLDER and $1"; FOLDER="$1" ;;
        esac
        shift
    done
    [ "$USE_VENV" = yes ] || [ -z "$FOLDER" ] ||
        fail "--no-venv uses the active environment; drop the folder $FOLDER"
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
        fits "$PYTHON" || fail "--python $PYTHON is Python $(python_version "$PYTHON"); $NEEDED"
        return
    fi
    if [ "$USE_VENV" = no ]; then
        PYTHON="$(command -v python || command -v python3 || true)"
        [ -n "$PYTHON" ] || fail '--no-venv: no python in the active environment'
        fits "$PYTHON" || fail "--no-venv: the active Python is $(python_version "$PYTHON"); $NEEDED"
        return
    fi
    for candidate in python3 python3.12 python3.11 python3.10 \
        "${HOME:-/}"/.pyenv/versions/3.1[210].*/bin/python; do
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
        fail "$ENV holds Python $(python_version "$ENV/bin/python"); $NEEDED: name another folder"
    fi
    if fits "$ENV/bin/python" && "$ENV/bin/python" -m pip --version >/dev/null 2>&1; then
        if [ -n "$PYTHON" ]; then
            find_python
            local have wanted
            have="$(python_version "$ENV/bin/python")" wanted="$(python_version "$PYTHON")"
            [ "$have" = "$wanted" ] ||
                fail "$ENV holds Python $have, not $wanted; name another folder or remove it"
        fi
        return
    fi
    find_python
    echo "Python $(python_version "$PYTHON") ($(command -v "$PYTHON"))"
    echo "virtual environment in $ENV"
    "$PYTHON" -m venv "$ENV" || fail "the virtual environment could not be made. Where Python comes from the
    system's packages, its venv module is one of its own (python3-venv); or use an environment of yours with
    --no-venv"
}

already_installed() {
    [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$("$PY" "$FACTS" stamp 2>/dev/null)" ] &&
        (cd / && "$PY" "$ROOT/tools/misc/doctor.py") >/dev/null 2>&1
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
