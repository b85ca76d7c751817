#!/bin/sh
# The wake protocol's model, checked whole: safety and progress hold, and each
# variant that lacks a part of it fails.
top=$(cd "$(dirname "$0")/../.." && pwd)
command -v spin >/dev/null || { echo "skipped: no spin"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
check() { # NAME WANT FLAGS...: WANT holds or fails; safety, then progress
    name=$1 want=$2
    shift 2
    mkdir "$name" && cd "$name" || exit 1
    spin "$@" -a "$top/test/spin/wake.pml" >spin.out 2>&1 ||
        { echo "$name: $(cat spin.out)"; exit 1; }
    gcc -O2 -w -DMEMLIM=2048 -DSAFETY -DNOCLAIM -o safe pan.c &&
        gcc -O2 -w -DMEMLIM=2048 -DNFAIR=4 -o live pan.c || exit 1
    ./safe -m100000 -E >safe.out 2>&1
    parts="safe live"
    grep -q 'errors: 0' safe.out || parts=safe # it is known already
    [ "$parts" = safe ] || ./live -m1000000 -a -f -E >live.out 2>&1
    for part in $parts; do
        grep -q 'errors:' $part.out && ! grep -qE 'out of memory|too small' \
            $part.out || { echo "$name $part: $(tail -5 $part.out)"; exit 1; }
    done
    got=holds
    for part in $parts; do
        grep -q 'errors: 0' $part.out || got=fails
    done
    echo "$name $got: $(cat $(printf '%s.out ' $parts) |
        sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' | tr '\n' ' ')states"
    [ "$got" = "$want" ] || { echo "$name: $got, not $want"; exit 1; }
    cd ..
}
jobs=-DJOBS=${JOBS:-1}
check protocol holds "$jobs"
check no-claim holds -DNO_CLAIM
check no-inherit holds -DNO_INHERIT
check neither fails -DNO_CLAIM -DNO_INHERIT
check calls-only holds -DCALLS_ONLY -DCRASHES=0
check two-txn fails -DTWO_TXN
check no-reconcile fails -DNO_RECONCILE
check sweep-blind fails -DSWEEP_BLIND
check no-look fails -DCALLS_ONLY -DCRASHES=0 -DNO_LOOK
exit 0
