#!/usr/bin/env bash
# Installs what is missing, builds one tree with sanitizers, and runs every test in it. Beside the
# tests: the release tree, what the thread sanitizer looks at, every header by itself, and clang-tidy
# over what changed.
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

# What needs no test's result and no quiet: most of the tests of whole processes wait, and what is
# free meanwhile does this.
build_beside() {
  cmake --preset release
  cmake --build --preset release
  cmake --build --preset tsan --target net_tests http_client_tests
  cmake --build --preset asan --target trunkline_headers
  tools/tidy.sh changed
}

await_build() { # await_build PROCESS LOG
  wait "$1" || { tail -n 200 "$2" >&2; return 1; }
}

run_tests() { # run_tests NAME [OPTION...]
  local log="build/asan/ctest-$1.log"
  shift
  ctest --preset asan -j "$(nproc)" --timeout 1500 "$@" 2>&1 | tee "$log"
  # A half that nobody ran has not passed: PostgreSQL is never left out.
  if grep -E '\*\*\*(Skipped|Not Run)|Disabled' "$log"; then
    echo "a test was not run" >&2
    return 1
  fi
  counted+=("$(grep -E '^[0-9]+% tests passed' "$log")")
}

part "install what is missing" tools/install-dependencies.sh test
[ -x /usr/lib/postgresql/15/bin/initdb ] || { echo "PostgreSQL 15 is missing" >&2; exit 1; }
part "configure" configure asan -DTRUNKLINE_BATCHES=ON
part "build (address and undefined behaviour)" cmake --build --preset asan
part "configure (threads)" configure tsan
mkdir -p build
set -m # a group of its own, to end it by; in a session of its own "nice" would mean nothing
nice -n 19 bash -c "set -euo pipefail; $(declare -f build_beside); build_beside" \
  > build/beside.log 2>&1 &
beside=$!
set +m
trap 'kill -- "-$beside" 2> /dev/null || true' EXIT
counted=()
part "test" run_tests all -LE packages
echo "=== what the tests counted"
grep -hE '^\.*(F[0-9]{2}|P[0-9]|I[0-9]+|row [0-9]+b?|simulation|timelines|homes|fan-out|left out)[ :]' \
  build/asan/Testing/Temporary/LastTest.log | sed 's/^\.*//' || true
part "what is left of the builds beside" await_build "$beside" build/beside.log
grep '^clang-tidy' build/beside.log
part "test the packages" run_tests packages -L packages
# The release tree is the one that the packages were made from.
part "bench, in short form" bench/delivery.py --short --build build/release
part "test net's server (threads)" build/tsan/tests/net_tests --order lex
part "test net's client (threads)" build/tsan/tests/http_client_tests --order lex

printf '%s\n' "${summary[@]}"
echo "$((SECONDS / 60)) min in all"
printf '%s\n' "${counted[@]}"
