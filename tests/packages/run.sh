#!/usr/bin/env bash
# Makes the Debian packages, installs them into a clean root, and builds and runs strangers' programs
# against it, linked in four ways. Usage: run.sh FOLDER; FOLDER is made anew, and keeps
# the root and the programs for unload.sh.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
source="$(cd "$here/../.." && pwd)"
work="$1"
jobs="$(nproc)"
architecture="$(dpkg --print-architecture)"
multiarch="$(gcc -print-multiarch)"
rm -rf "$work"
mkdir -p "$work"
root="$work/root"
libraries="$root/usr/lib/$multiarch"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(fakeroot)

fail() {
  echo "packages: $*" >&2
  exit 1
}

part() { # part WHAT COMMAND...: its output only when it fails
  local what="$1" began=$SECONDS
  shift
  "$@" > "$work/log" 2>&1 || { tail -n 100 "$work/log" >&2; fail "$what"; }
  echo "packages: $what: $((SECONDS - began)) s"
}

make_packages() {
  cd "$source"
  rm -f build/packages/*.deb
  cmake --workflow --preset deb
}

same() { # same WHAT EXPECTED FOUND
  diff -u --label expected --label found "$2" "$3" >&2 || fail "$1"
}

files_of() { # what lies in a package, without folders
  dpkg-deb -c "$1" | awk '$1 !~ /^d/ { print $6 }' | sed 's|^\./|/|' | sort
}

documents_of() {
  printf '/usr/share/doc/%s/%s\n' "$1" changelog.Debian.gz "$1" changelog.gz "$1" copyright
}

check_files() {
  local lib="/usr/lib/$multiarch"
  { echo "$lib/libtrunkline.so.0"
    echo "$lib/libtrunkline.so.$version"
    documents_of libtrunkline0; } | sort > "$work/expected"
  files_of "$library" > "$work/found"
  same "files of libtrunkline0" "$work/expected" "$work/found"

  { (cd "$source/include" && printf '/usr/include/%s\n' trunkline/*.hpp)
    printf "$lib/%s\n" libtrunkline.a libtrunkline.so pkgconfig/trunkline.pc
    printf "$lib/cmake/Trunkline/%s\n" FindCAF.cmake TrunklineConfig.cmake \
      TrunklineConfigVersion.cmake TrunklineSharedTargets.cmake \
      TrunklineSharedTargets-release.cmake TrunklineStaticTargets.cmake \
      TrunklineStaticTargets-release.cmake
    documents_of libtrunkline-dev; } | sort > "$work/expected"
  files_of "$development" > "$work/found"
  same "files of libtrunkline-dev" "$work/expected" "$work/found"

  { echo /usr/bin/trunkline
    echo /lib/systemd/system/trunkline.service
    printf '/usr/share/man/%s.gz\n' man1/trunkline.1 man5/trunkline.toml.5
    printf '/usr/share/trunkline/%s\n' alerts.yml make-certificates.sh nginx.conf single-node.toml
    printf '/usr/share/doc/trunkline/%s\n' README.md configuration.md postgresql.md
    documents_of trunkline; } | sort > "$work/expected"
  files_of "$program" > "$work/found"
  same "files of trunkline" "$work/expected" "$work/found"
}

# The packages of this machine count as installed, their files are not there.
install_packages() {
  mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
  cp /var/lib/dpkg/status "$root/var/lib/dpkg/status"
  "${as_root[@]}" dpkg --root="$root" --force-script-chrootless --no-triggers --log=/dev/null \
    --install "$library" "$development" "$program"
}

is_refused_alone() { # without what it depends on, a package is not configured
  local bare="$work/bare"
  mkdir -p "$bare/var/lib/dpkg/info" "$bare/var/lib/dpkg/updates" "$bare/var/lib/dpkg/triggers"
  : > "$bare/var/lib/dpkg/status"
  ! "${as_root[@]}" dpkg --root="$bare" --force-script-chrootless --no-triggers --log=/dev/null \
    --install "$library" > "$work/refused" 2>&1 && grep -q 'depends on libcaf' "$work/refused"
}

check_symbols() {
  local so="$libraries/libtrunkline.so.0"
  nm -DC --defined-only "$so" > "$work/symbols"
  grep -q ' T trunkline::v0::version()' "$work/symbols" || fail "version() is not shown"
  if sed -E 's/^[0-9a-f]* . //' "$work/symbols" |
    grep -vE '^((typeinfo|typeinfo name|vtable) for )?trunkline::v0::'; then
    fail "the shared library shows what is not its interface"
  fi
  # A unique symbol, or this flag, and dlclose leaves the library in memory.
  ! nm -D --defined-only "$so" | grep -E '^[0-9a-f]* u ' || fail "a unique symbol"
  ! readelf -d "$so" | grep -E 'NODELETE' || fail "the library cannot be unloaded"
  readelf -d "$so" | grep -q 'SONAME.*\[libtrunkline\.so\.0\]' || fail "another soname"
}

build_with_cmake() { # build_with_cmake KIND
  cmake -G Ninja -S "$here" -B "$work/$1" -DKIND="$1" -DCMAKE_PREFIX_PATH="$root/usr" \
    -DCMAKE_BUILD_TYPE=None || return 1
  cmake --build "$work/$1" -j "$jobs"
}

build_with_pkg_config() { # build_with_pkg_config FLAGS OUTPUT SED
  # shellcheck disable=SC2046
  g++ -std=c++20 -Wall -Wextra -Wconversion -Wshadow -Werror $(pkg_config --cflags trunkline) \
    -o "$2" "$source/tests/embedding/main.cpp" \
    $(pkg_config $1 --libs trunkline | sed "$3")
}

pkg_config() {
  PKG_CONFIG_PATH="$libraries/pkgconfig" pkg-config "$@"
}

# Wherever the tree lies, and whatever is guessed, the folders are those beside the file.
check_pkg_config() {
  [ "$(pkg_config --modversion trunkline)" = "$version" ] || return 1
  local folder
  for guess in --dont-define-prefix --define-prefix; do
    folder="$(pkg_config "$guess" --variable=includedir trunkline)"
    [ "$(realpath "$folder")" = "$(realpath "$root/usr/include")" ] || return 1
    folder="$(pkg_config "$guess" --variable=libdir trunkline)"
    [ "$(realpath "$folder")" = "$(realpath "$libraries")" ] || return 1
  done
  # Shared consumers link this library alone, and compile with no foreign flag.
  [ "$(pkg_config --libs trunkline | wc -w)" -eq 2 ] || return 1
  [ "$(pkg_config --cflags trunkline | wc -w)" -eq 1 ]
}

names_in() { # the packages in a list of dependencies
  tr ',|' '\n\n' | awk '{ print $1 }'
}

# Whatever the static library is linked with comes with what the package depends on, or with what
# those depend on.
check_static_needs() {
  local path package direct all
  direct="$(dpkg-deb -f "$development" Depends | names_in | grep -v '^libtrunkline0$')"
  # shellcheck disable=SC2086
  all="$direct $(dpkg-query -W -f '${Depends},' $direct | names_in)"
  for path in $(ninja -C "$work/static" -t commands main | tail -n 1 |
    grep -oE ' /usr/lib/[^ ]+\.(so|a)'); do
    package="$(dpkg -S "$path" | cut -d: -f1)"
    grep -qw -e "$package" <<< "$all" || fail "libtrunkline-dev lacks $package"
  done
}

is_linked_to_library() {
  readelf -d "$1" | grep -q 'NEEDED.*\[libtrunkline\.so\.0\]'
}

run_one() { # run_one PROGRAM [FOLDER]: ends by itself, with 0
  LD_LIBRARY_PATH="$libraries" timeout 120 "$@" || { echo "$1 ends with $?"; return 1; }
}

run_programs() { # run_programs KIND
  local source_file ran=0
  mkdir "$work/data_$1"
  run_one "$work/$1/main" "$work/data_$1" || return 1
  for source_file in "$source"/examples/*.cpp; do
    run_one "$work/$1/examples/$(basename "$source_file" .cpp)" || return 1
    ran=$((ran + 1))
  done
  [ "$ran" -ge 4 ]
}

# The manual tells of every command that there is, and of every setting.
check_manual() {
  local page command setting
  page="$(zcat "$root/usr/share/man/man1/trunkline.1.gz")"
  for command in $("$root/usr/bin/trunkline" --help |
    sed -n '/^Subcommands:/,$ s/^  \([a-z]*\) .*/\1/p'); do
    grep -qE "^\.B $command( |\\\\|$)" <<< "$page" || fail "trunkline(1) lacks $command"
  done
  page="$(zcat "$root/usr/share/man/man5/trunkline.toml.5.gz")"
  for setting in $("$root/usr/bin/trunkline" run --help | sed -n 's/^  --\([a-z]*\.[a-z_]*\) .*/\1/p'); do
    grep -qF ".B $setting" <<< "$page" || fail "trunkline.toml(5) lacks $setting"
  done
}

part "debs" make_packages
version="$(sed -n 's/^project(Trunkline VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")"
library="$(echo "$source"/build/packages/libtrunkline0_"$version"-*_"$architecture".deb)"
development="$(echo "$source"/build/packages/libtrunkline-dev_"$version"-*_"$architecture".deb)"
program="$(echo "$source"/build/packages/trunkline_"$version"-*_"$architecture".deb)"
check_files
part "refused without its dependencies" is_refused_alone
part "installed" install_packages
[ "$("$root/usr/bin/trunkline" version)" = "trunkline $version" ] || fail "trunkline version"
check_manual
check_symbols
if grep -rn -e "$source" "$libraries/cmake" "$libraries/pkgconfig"; then
  fail "a package names the folder that it was built in"
fi

part "pkg-config" check_pkg_config
part "built with CMake, shared" build_with_cmake shared
part "built with CMake, static" build_with_cmake static
part "built with pkg-config, shared" build_with_pkg_config "" "$work/pc_shared" ""
part "built with pkg-config, static" build_with_pkg_config --static "$work/pc_static" \
  's/-ltrunkline/-l:libtrunkline.a/'
check_static_needs
is_linked_to_library "$work/shared/main" || fail "CMake, shared: not the shared library"
is_linked_to_library "$work/pc_shared" || fail "pkg-config: not the shared library"
! is_linked_to_library "$work/static/main" || fail "CMake, static: the shared library"
! is_linked_to_library "$work/pc_static" || fail "pkg-config, static: the shared library"

part "run, shared" run_programs shared
part "run, static" run_programs static
mkdir "$work/data_pc_shared" "$work/data_pc_static"
part "run, pkg-config, shared" run_one "$work/pc_shared" "$work/data_pc_shared"
part "run, pkg-config, static" run_one "$work/pc_static" "$work/data_pc_static"
