#!/bin/sh
# An idea of the engineer that comes after validation gets a verdict with the
# same numbers as the others.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
export SLEEP=0.05 REA_SEED=5
sign
want 0 "$rea" run C1
i=0
until [ "$("$rea" --json status | jq -r '.campaigns[0].phase')" = exploitation ]
do
    i=$((i + 1))
    [ $i -lt 600 ] || fail "no exploitation: $("$rea" status)"
    sleep 0.05
done
want 0 "$rea" try lr=0.02 wide=true
late=$(sed -n 's/^\(H[0-9]*\) .*/\1/p' out)
want 0 "$rea" run --wait
want 0 "$rea" why "$late"; says "$late, the engineer's idea"
says "$late: [a-z]*: gain .*e-value"
exit 0
