#!/usr/bin/env bash
# Installs the Debian packages that building and testing need, and nothing that is there already.
# Usage: install-dependencies.sh build|test|nightly
set -euo pipefail

build_packages=(
  ca-certificates cmake g++ git ninja-build pkg-config ccache mold
  libcaf-dev libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libsqlite3-dev
  libpqxx-dev libpq-dev libssl-dev libcereal-dev libtomlplusplus-dev libcli11-dev libspdlog-dev
  prometheus-cpp-dev libargon2-dev libidn2-dev libutf8proc-dev libc-ares-dev zlib1g-dev
  libgumbo-dev libpsl-dev)
test_packages=(
  catch2 chromium-headless-shell clang-format clang-tidy curl dpkg-dev e2fsprogs fakeroot faketime
  file iproute2 libcpp-httplib-dev lintian nftables nginx-light pgbouncer postgresql-15 procps
  prometheus python3-cryptography python3 python3-jsonschema python3-mastodon python3-psycopg2
  python3-pytest python3-pytest-xdist python3-requests python3-websocket python3-yaml slowhttptest
  sqlite3 strace systemd toot util-linux valgrind)

nightly_packages=(clang libclang-rt-14-dev) # the second one is libFuzzer

case "${1:-}" in
  build) wanted=("${build_packages[@]}") ;;
  test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  nightly) wanted=("${build_packages[@]}" "${test_packages[@]}" "${nightly_packages[@]}") ;;
  *)
    echo "usage: install-dependencies.sh build|test|nightly" >&2
    exit 64
    ;;
esac

# npm installs the other server of the federation tests; any npm will do.
if [ "$1" != build ] && ! command -v npm >/dev/null; then
  wanted+=(npm)
fi

missing=()
for package in "${wanted[@]}"; do
  if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
    missing+=("$package")
  fi
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo)
fi
echo "installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q >&2
# A freshly installed service must not start: the tests start their own.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
  apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
