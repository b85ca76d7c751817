#!/bin/sh
# While all jobs run nothing executes rea: only the shims are there. A look
# that sees no shim, or that would not see rea if it ran, proves nothing.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
export SLEEP=4
running() { # PROGRAM: processes that execute it
    n=0
    for exe in /proc/[0-9]*/exe; do
        [ "$(readlink "$exe" 2>/dev/null)" = "$1" ] && n=$((n + 1))
    done
    echo $n
}
# A copy of the program: what other tests run at the same time does not count.
mkdir ../bin && cp "$rea" "$build/rea-shim" ../bin && rea=$dir/bin/rea
shim=$dir/bin/rea-shim
sign
want 0 "$rea" run C1
sleep 1.5
[ "$(running "$shim")" = 2 ] || fail "$(running "$shim") shims, not 2"
for look in 1 2 3 4 5; do
    [ "$(running "$rea")" = 0 ] || fail "rea is resident while jobs run"
    sleep 0.1
done
"$rea" log C1 -f >/dev/null 2>&1 &
sleep 0.3
[ "$(running "$rea")" = 1 ] || fail "the look does not see a running rea"
kill $!
want 0 "$rea" stop C1
while [ "$(running "$shim")" != 0 ]; do sleep 0.1; done
exit 0
