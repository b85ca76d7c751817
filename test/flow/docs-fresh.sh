#!/bin/sh
# Documents, man pages and completion are what their tables give.
set -eu
cd "$(dirname "$0")/../.."
sh tools/docs.sh "$BUILD" --check
make -s BUILD="$BUILD" man
[ "$(ls "$BUILD"/man/*.1 | wc -l)" -gt 25 ]
grep -q 'rea \[' "$BUILD/man/rea.1" || grep -q 'ranking' "$BUILD/man/rea.1"
bash -n "$BUILD/completion/rea.bash"
