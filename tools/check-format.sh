#!/usr/bin/env bash
# Fails when clang-format would change a file of ours, and names it.
set -euo pipefail
cd "$(dirname "$0")/.."
find . -path ./build -prune -o -path ./.git -prune -o -name '*.[ch]pp' -print0 |
  xargs -0 -P "$(nproc)" -n 40 clang-format --dry-run -Werror
