#!/usr/bin/env bash
# Installs what is missing, builds with sanitizers and runs every test. Works from any folder.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install-dependencies.sh test
cmake --preset asan
cmake --build --preset asan
ctest --preset asan
