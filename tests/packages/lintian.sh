#!/usr/bin/env bash
# What Debian's own checker says of the packages that run.sh has made: no error.
set -euo pipefail
cd "$(dirname "$0")/../../build/packages"
# The suppressed tag asks for the bug report with which a new package is offered to Debian.
lintian --allow-root --fail-on error --suppress-tags initial-upload-closes-no-bugs ./*.deb
