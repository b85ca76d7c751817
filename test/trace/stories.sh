#!/bin/sh
# Each story in test/trace/*.txt is a dialogue with the engine and the exact
# narrative that it must give.
set -u
rc=0
n=0
for story in "$(dirname "$0")"/*.txt; do
    n=$((n + 1))
    "${BUILD:-build}/test/trace_run" "$story" | diff -u "$story" - || rc=1
done
[ "$n" -ge 3 ] || rc=1
exit $rc
