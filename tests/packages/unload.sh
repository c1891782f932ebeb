#!/usr/bin/env bash
# Loads, runs and unloads an engine 20 times under valgrind. Usage: unload.sh FOLDER, which
# run.sh has made. See unload.cpp for what is judged.
set -euo pipefail
work="$1"
programs="$work/shared"
export LD_LIBRARY_PATH="$work/root/usr/lib/$(gcc -print-multiarch)"
data="$(mktemp -d)"
trap 'rm -rf "$data"' EXIT

"$programs/unload" "$programs/libplugin.so" 20 "$data/plain"
# No suppressions. Values that were never set are not looked for: that would take half as long again.
valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 \
  --undef-value-errors=no --keep-debuginfo=yes --num-callers=40 --fair-sched=no \
  "$programs/unload" "$programs/libplugin.so" 20 "$data/valgrind"
