#!/usr/bin/env bash
# Installs a build into a temporary folder, builds the stranger's program against it and runs it.
# Usage: run.sh BUILD_FOLDER [COMPILER_FLAGS]
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
build="$1"
flags="${2:-}"
temp="$(mktemp -d)"
trap 'rm -rf "$temp"' EXIT

cmake --install "$build" --prefix "$temp/prefix" > "$temp/log"
cmake -G Ninja -S "$here" -B "$temp/build" -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_PREFIX_PATH="$temp/prefix" -DCMAKE_CXX_FLAGS="$flags" >> "$temp/log" ||
  { cat "$temp/log"; exit 1; }
cmake --build "$temp/build" >> "$temp/log" || { cat "$temp/log"; exit 1; }
if grep -rn --include='*.cmake' -e "$build" "$temp/prefix"; then
  echo "the package names the build folder" >&2
  exit 1
fi
mkdir "$temp/data"
"$temp/build/stranger" "$temp/data"
"$temp/prefix/bin/trunkline" version
"$temp/prefix/bin/trunkline" run --check-config --storage.folder "$temp/x" \
  --config "$temp/prefix/share/trunkline/single-node.toml"
