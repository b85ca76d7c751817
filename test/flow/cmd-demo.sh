#!/bin/sh
# The demo on synthetic data: two campaigns at once, both faults and the kill
# recovered, the seal opened, two reports, in four minutes and 1 GB.
. "$(dirname "$0")/lib.sh"
begin=$(date +%s)
timeout 300 "$rea" demo d --data none >out 2>err || fail "$(tail -5 err)"
took=$(($(date +%s) - begin))
short
says 'SYNTHETIC'
says 'survived: [1-9][0-9]* OOM kill, [1-9][0-9]* NaN, 1 kill -9 of a wake'
[ $took -le 240 ] || fail "took $took s"
for c in C1 C2; do
    "$rea" -C d --json report $c >$c.json || fail "report $c"
    jq -e '(.hypotheses | length) >= 8 and
        ([.hypotheses[].source] | unique | length) >= 2 and
        .campaign.state == "done" and .campaign.trials.recovered >= 1' \
        $c.json >/dev/null || fail "$c: $(jq -c .campaign $c.json)"
    jq -e '.campaign.budget | .spent <= .approved and .reserved == 0' \
        $c.json >/dev/null || fail "$c: budget"
    # the money kept for Confirmation was enough: the seal was opened
    jq -e '(.finalists | length) >= 1 and
        all(.finalists[]; .sealed.seeds >= 3)' $c.json >/dev/null ||
        fail "$c: no seal was opened: $(jq -c '.phases[-1]' $c.json)"
    want 0 "$rea" -C d replay $c
done
jq -e '[.failures[].signature] | length >= 1' C1.json >/dev/null ||
    fail "no failure in C1"
want 0 "$rea" -C d why C1/T9; says 'oom'
want 0 "$rea" -C d why C2/T11; says 'nan|diverged'
ls d/*.html | wc -l | grep -qx 2 || fail "two reports, please"
want 2 "$rea" demo "$top/src"; says 'not empty'
echo "demo took $took s"
exit 0
