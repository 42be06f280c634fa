#!/usr/bin/env bash
# Runs the tests, installing the project first where needed: bash tools/run_tests.sh [--all] [pytest arguments]
# --all runs those, too, that take minutes each (marked long), and before them what reads the code: ruff and mypy.
# The environment is .venv in the checkout, or the folder that SDPOSE_ENV names; SDPOSE_ENV=active takes the
# active one.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"

CHECKS=no
for ARGUMENT; do
    shift
    if [ "$ARGUMENT" = --all ]; then
        CHECKS=yes
        set -- "$@" -m ''  # instead of pyproject.toml's -m 'not long'
    else
        set -- "$@" "$ARGUMENT"
    fi
done

ENV="${SDPOSE_ENV:-.venv}"
if [ "$ENV" = active ]; then
    bash tools/install.sh --no-venv
    PY="$(command -v python || command -v python3)"
else
    unset PYTHONPATH PYTHONHOME
    bash tools/install.sh "$ENV"
    PY="$(cd "$ENV" && pwd)/bin/python"
fi

LACKING="$("$PY" tools/misc/environment.py lacking tests)"
if [ -n "$LACKING" ]; then
    echo "installing the test requirements: $LACKING ..."
    "$PY" -m pip install -qq --no-input --disable-pip-version-check --root-user-action=ignore \
        -r requirements/tests.txt </dev/null || {
        echo 'run_tests.sh: the test requirements could not be installed, see above' >&2
        exit 1
    }
fi

# Tests that open a page in a real browser are skipped where there is none; --all brings Debian's, where it may.
if [ "$CHECKS" = yes ] && [ -z "$(command -v chromium chromium-browser google-chrome google-chrome-stable)" ] &&
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'installing chromium ...'
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core; } \
        >/dev/null 2>&1 </dev/null || echo 'run_tests.sh: chromium could not be installed' >&2
fi

# check TITLE COMMAND...
check() {
    echo "== $1"
    "${@:2}" </dev/null || {
        echo "run_tests.sh: $1 found something, see above; no test was run" >&2
        exit 1
    }
}

if [ "$CHECKS" = yes ]; then
    check 'ruff check' "$PY" -m ruff check .
    check 'ruff format --check' "$PY" -m ruff format --check .
    check 'mypy' "$PY" -m mypy
fi

# One thread per worker and as many workers as cores: the tests are many and small.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
WORKERS="$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)"  # nproc heeds both
[ "$WORKERS" -le 8 ] || WORKERS=8
exec "$PY" -m pytest -n "$WORKERS" --dist worksteal "$@" </dev/null
