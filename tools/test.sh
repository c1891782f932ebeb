#!/usr/bin/env bash
# Installs what is missing, builds one tree with sanitizers, and runs every test in it. Then
# clang-tidy over what changed, and the thread sanitizer over what starts no actor system.
# Works from any folder; prints what each part took.
set -euo pipefail
cd "$(dirname "$0")/.."

summary=()
part() { # part NAME COMMAND...
  local name="$1" began=$SECONDS
  shift
  echo "=== $name"
  "$@"
  summary+=("$(printf '%5d s  %s' $((SECONDS - began)) "$name")")
}

configure() { # configure PRESET [OPTION...]: once; CMake follows its own files after that
  [ -f "build/$1/build.ninja" ] || cmake --preset "$@"
}

await_build() { # await_build PROCESS LOG
  wait "$1" || { cat "$2" >&2; return 1; }
}

run_tests() {
  local log="build/asan/ctest.log"
  ctest --preset asan -j "$(nproc)" --timeout 1500 2>&1 | tee "$log"
  # A half that nobody ran has not passed: PostgreSQL is never left out.
  if grep -E '\*\*\*(Skipped|Not Run)|Disabled' "$log"; then
    echo "a test was not run" >&2
    return 1
  fi
  counted="$(grep -E '^[0-9]+% tests passed' "$log")"
}

part "install what is missing" tools/install-dependencies.sh test
[ -x /usr/lib/postgresql/15/bin/initdb ] || { echo "PostgreSQL 15 is missing" >&2; exit 1; }
part "configure" configure asan -DTRUNKLINE_BATCHES=ON
part "build (address and undefined behaviour)" cmake --build --preset asan
part "configure (threads)" configure tsan
# Most of the tests of whole processes wait: what is free meanwhile builds the next part.
nice -n 19 cmake --build --preset tsan --target net_tests http_client_tests \
  > build/tsan/build.log 2>&1 &
threads_build=$!
trap 'kill "$threads_build" 2> /dev/null || true' EXIT
counted=""
part "test" run_tests
echo "=== what the tests counted"
grep -hE '^\.*(F[0-9]{2}|P[0-9]|I[0-9]+|row [0-9]+b?|simulation|timelines|homes|fan-out|left out)[ :]' \
  build/asan/Testing/Temporary/LastTest.log | sed 's/^\.*//' || true
part "build net's tests (threads)" await_build "$threads_build" build/tsan/build.log
# The release tree is the one that the packages were made from.
part "bench, in short form" bench/delivery.py --short --build build/release
part "clang-tidy over what changed" tools/tidy.sh changed
part "test net's server (threads)" build/tsan/tests/net_tests --order lex
part "test net's client (threads)" build/tsan/tests/http_client_tests --order lex

printf '%s\n' "${summary[@]}"
echo "$counted in $((SECONDS / 60)) min"
