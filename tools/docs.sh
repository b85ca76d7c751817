#!/bin/sh
# Writes the generated documents from the tables in the sources. With --check:
# fails when a committed document is not what its table gives.
set -eu
build=${1:-build}
mode=${2:-}
out=docs
[ "$mode" != --check ] || out=$(mktemp -d)
"$build/tools/gen-events" >"$out/events.md"
"$build/tools/gen-techniques" >"$out/techniques.md"
[ ! -x "$build/tools/gen-runbook" ] ||
    "$build/tools/gen-runbook" >"$out/runbook.md"
[ ! -x "$build/tools/gen-docs" ] ||
    "$build/tools/gen-docs" commands >"$out/commands.md"
[ "$mode" = --check ] || exit 0
rc=0
for f in "$out"/*.md; do
    diff -q "$f" "docs/$(basename "$f")" >/dev/null ||
        { echo "docs/$(basename "$f") is stale: make docs"; rc=1; }
done
rm -rf "$out"
exit $rc
