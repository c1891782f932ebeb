#!/usr/bin/env bash
# Shows that the simulator of delivery sees: each patch of tests/planted/ breaks a copy of the tree,
# and the simulator must fail there. `tools/planted.sh [NAME...]`; TRUNKLINE_PLANTED_SEEDS says
# within how many seeds (100).
set -euo pipefail
cd "$(dirname "$0")/.."

seeds="${TRUNKLINE_PLANTED_SEEDS:-100}"
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT

build() { # quietly, unless it fails
  cmake --build "$copy/build/asan" --target delivery_simulation_tests > "$copy.log" 2>&1 ||
    { tail -30 "$copy.log"; return 1; }
  rm -f "$copy.log"
}

catch_it() { # catch_it PATCH
  local patch="$1" out="$copy/out" seed
  patch -s -p1 -d "$copy" < "$patch"
  build
  if TRUNKLINE_SEEDS="$seeds" TRUNKLINE_FIRST_FAILURE=1 \
    "$copy/build/asan/tests/delivery_simulation_tests" > "$out" 2>&1; then
    echo "NOT CAUGHT within $seeds seeds: $patch" >&2
    return 1
  fi
  seed="$(grep -m1 -oE 'TRUNKLINE_SEED=[0-9]+' "$out")" || { tail -30 "$out"; return 1; }
  printf 'planted %s: caught, %s\n  %s\n' "$(basename "$patch" .patch)" "$seed" \
    "$(grep -m1 -A3 'history.wrong :=' "$out" | tr -s ' \n' ' ' | cut -c1-200)"
  patch -s -R -p1 -d "$copy" < "$patch"
}

git ls-files -zco --exclude-standard | tar c --null -T - --ignore-failed-read 2> /dev/null |
  tar x -C "$copy"
cmake -S "$copy" --preset asan > /dev/null
patches=("$@")
[ ${#patches[@]} -gt 0 ] || patches=(tests/planted/*.patch)
for patch in "${patches[@]}"; do
  catch_it "$patch"
done
