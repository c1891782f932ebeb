#!/usr/bin/env bash
# Runs clang-tidy: tools/tidy.sh changed|all
# "changed" looks at the sources that differ from the branch point with main, or from the commit
# before when this is main itself. A file takes 12 to 17 s.
set -euo pipefail
cd "$(dirname "$0")/.."
which="$1"

if [ "$which" = all ]; then
  mapfile -t files < <(find actors api engine net protocol storage -name '*.cpp' | sort)
else
  base=$(git merge-base HEAD main 2>/dev/null || true)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
    base=$(git rev-parse --verify -q HEAD~1 || git rev-parse HEAD)
  fi
  mapfile -t files < <({ git diff --name-only --diff-filter=d "$base"
    git ls-files --others --exclude-standard; } |
    grep -E '^(actors|api|engine|net|protocol|storage)/.*\.cpp$' | sort -u || true)
fi
if [ ${#files[@]} -eq 0 ]; then
  echo "clang-tidy: no source changed"
  exit 0
fi
echo "clang-tidy: ${#files[@]} files"

# clang cannot read what gcc precompiled, and knows not all of its warnings.
build=build/tidy # a tree that is never built: it says how to compile each file by itself
cmake --preset debug -B "$build" > /dev/null
plain="$build/plain"
mkdir -p "$plain"
sed -E 's/-Winvalid-pch//g; s/-include [^ ]*cmake_pch\.hxx//g' \
  "$build/compile_commands.json" > "$plain/compile_commands.json"
printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 1 \
  clang-tidy --quiet -p "$plain" --extra-arg=-Wno-unknown-warning-option
