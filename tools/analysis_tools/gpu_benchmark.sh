#!/usr/bin/env bash
# Uses a GPU for a given time, the most important first: bash tools/analysis_tools/gpu_benchmark.sh [--minutes 15] [--out DIR]
# The environment is .venv in the checkout, or the folder that SDPOSE_ENV names (SDPOSE_ENV=active: the active one).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ENV="${SDPOSE_ENV:-.venv}"
PY="$([ "$ENV" = active ] && command -v python || echo "$(cd "$ENV" && pwd)/bin/python")"
exec "$PY" tools/analysis_tools/gpu_benchmark.py "$@"
