#!/bin/sh
# Runs all flow tests (or those named), one line each; exit 1 when one fails.
# BUILD names the build folder. 77 is a plain skip.
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$here"/*-*.sh
failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
for t in "$@"; do
    begin=$(date +%s)
    timeout 600 sh "$t" >"$log" 2>&1
    rc=$?
    took=$(($(date +%s) - begin))
    case $rc in
    0) word=ok ;;
    77) word=skip ;;
    *) word=FAIL failed=$((failed + 1)) ;;
    esac
    printf '%-4s %4ds  %s\n' $word $took "$(basename "$t" .sh)"
    [ $rc = 0 ] || tail -n 8 "$log" | sed 's/^/    | /'
done
[ $failed = 0 ]
