#!/usr/bin/env bash
# Shows that the simulator of delivery sees: each patch of tests/planted/ breaks a copy of the tree,
# and the simulator must fail there. `tools/planted.sh [NAME...]`; TRUNKLINE_PLANTED_SEEDS says
# within how many seeds (60).
set -euo pipefail
cd "$(dirname "$0")/.."

seeds="${TRUNKLINE_PLANTED_SEEDS:-60}"
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT

build() { # quietly, unless it fails
  cmake --build "$copy/build/asan" --target delivery_simulation_tests > "$copy.log" 2>&1 ||
    { tail -30 "$copy.log"; return 1; }
  rm -f "$copy.log"
}

catch_it() { # catch_it PATCH: what its line "Shows:" matches must be said of some seed
  local patch="$1" out="$copy/out" shows
  shows="$(sed -n 's/^Shows: //p' "$patch")"
  patch -s -p1 -d "$copy" < "$patch"
  build
  TRUNKLINE_SEEDS="$seeds" "$copy/build/asan/tests/delivery_simulation_tests" > "$out" 2>&1 || true
  patch -s -R -p1 -d "$copy" < "$patch"
  if ! grep -m1 -E "^seed [0-9]+: .*($shows)" "$out" > "$out.first"; then
    echo "NOT CAUGHT within $seeds seeds: $patch" >&2
    grep -m3 -E '^seed ' "$out" >&2 || tail -5 "$out" >&2
    return 1
  fi
  echo "planted $(basename "$patch" .patch): caught, $(cat "$out.first")"
}

git ls-files -zco --exclude-standard | tar c --null -T - --ignore-failed-read 2> /dev/null |
  tar x -C "$copy"
cmake -S "$copy" --preset asan > /dev/null
patches=("$@")
[ ${#patches[@]} -gt 0 ] || patches=(tests/planted/*.patch)
for patch in "${patches[@]}"; do
  catch_it "$patch"
done
