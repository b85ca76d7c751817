#!/bin/sh
# The program is away for a moment while jobs end, as when it is installed
# anew: their callbacks try again, nobody has to sweep.
. "$(dirname "$0")/lib.sh"
mkdir bin && cp "$build"/rea "$build"/rea-shim bin/ || exit 1
rea=$dir/bin/rea
shell_model ws && cd ws || exit 1
export SLEEP=0.3
sign
want 0 "$rea" run C1
mv ../bin/rea ../bin/away
until [ -s .rea/runs/C1/T1/a1/exit.json ] && [ -s .rea/runs/C1/T2/a1/exit.json ]
do
    sleep 0.1
done
sleep 0.5
mv ../bin/away ../bin/rea
i=0
while [ "$("$rea" --json status | jq '.campaigns[0].trials.ok')" -lt 3 ]; do
    i=$((i + 1))
    [ $i -lt 100 ] || fail "it stands still: $("$rea" status)"
    sleep 0.1
done
want 0 "$rea" stop C1
exit 0
