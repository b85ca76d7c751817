#!/bin/sh
# Comparisons with other programs. Python packages come from PyPI into
# build/venv; where it cannot be reached, what needs them is skipped with a
# plain message. Closes with 'N passed, N failed'.
set -u
build=${1:-build}
case "$build" in /*) ;; *) build=$PWD/$build ;; esac
export BUILD="$build"
[ -n "${REA_DATA:-}" ] || { [ -d ../shared/data ] &&
    REA_DATA=$(cd ../shared/data && pwd) && export REA_DATA; }
[ -n "${REA_CONTRACT:-}" ] || { [ -d ../shared/contract ] &&
    REA_CONTRACT=$(cd ../shared/contract && pwd) && export REA_CONTRACT; }
[ -n "${REA_REPLAY:-}" ] || { [ -d ../shared/replay ] &&
    REA_REPLAY=$(cd ../shared/replay && pwd) && export REA_REPLAY; }

packages="scipy jsonschema optuna"
python=$build/venv/bin/python3
if ! "$python" -c 'import scipy, jsonschema, optuna' 2>/dev/null; then
    rm -rf "$build/venv"
    { python3 -m venv "$build/venv" &&
        timeout 300 "$build/venv/bin/pip" install -q \
            --disable-pip-version-check $packages; } >"$build/pip.log" 2>&1 ||
        echo "PyPI packages ($packages) could not be installed:" \
            "$(tail -n 1 "$build/pip.log")"
fi
[ -x "$python" ] || python=$(command -v python3)

passed=0 failed=0 skipped=0
for t in test/peers/*.py; do
    name=$(basename "$t" .py)
    timeout 900 "$python" "$t" >"$build/peer-$name.log" 2>&1
    rc=$?
    case $rc in
    0) passed=$((passed + 1)) what=ok ;;
    77) skipped=$((skipped + 1)) what=skip ;;
    *) failed=$((failed + 1)) what=FAIL ;;
    esac
    echo "$what $name"
    tail -n 12 "$build/peer-$name.log" | sed 's/^/    | /'
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -ge 3 ]
