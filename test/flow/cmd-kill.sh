#!/bin/sh
# Wakes are killed with SIGKILL again and again: the campaign ends all the
# same, its ledger holds, and every decision is recomputed as logged.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
export SLEEP=0.15
sed -i 's/total = 70/total = 45/' rea.toml
sign
want 0 "$rea" run C1
killed=0 i=0
while [ "$(state)" = running ] && [ $i -lt 400 ]; do
    i=$((i + 1))
    "$rea" wake C1 >/dev/null 2>&1 &
    victim=$!
    # A few milliseconds into its life, at another place each time.
    sleep "0.00$((i % 9))"
    kill -9 $victim 2>/dev/null && killed=$((killed + 1))
    wait $victim 2>/dev/null
    [ $((i % 5)) = 0 ] && "$rea" sweep >/dev/null 2>&1
    sleep 0.05
done
[ "$(state)" = done ] || fail "$(state) after $i rounds: $("$rea" status C1)"
[ $killed -ge 5 ] || fail "only $killed wakes were killed"
want 0 "$rea" replay C1; says PASS
"$rea" --json status >s.json
jq -e '.campaigns[0].budget | .reserved == 0 and .spent <= .approved' s.json \
    >/dev/null || fail "$(cat s.json)"
echo "$killed wakes killed"
exit 0
