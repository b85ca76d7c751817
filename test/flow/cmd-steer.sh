#!/bin/sh
# pause, resume, stop, budget, pin, try, drop, add: the engineer's hand.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
export SLEEP=0.1
want 0 "$rea" plan
h1=$("$rea" --json plan | jq -r .hash)
want 0 "$rea" hypothesis add "steeper" lr=0.03 --why "it rises still"
says '^H[0-9]+ +steeper'; short
want 0 "$rea" hypothesis drop H1 --why "did that"
h2=$("$rea" --json hypothesis list | jq -r '[.hypotheses[]|select(.dropped)][0].id')
[ "$h2" = H1 ] || fail "H1 is not dropped"
h3=$("$rea" hypothesis list | sed -n 's/^next: rea approve //p')
want 0 "$rea" status; says "rea approve $h3"
want 2 "$rea" hypothesis add "steeper" lr=0.03; says 'the same change as'
want 2 "$rea" approve "$h1"; says 'no plan has a hash'
want 2 "$rea" hypothesis add "bad" lr=7; says 'outside its range'
want 2 "$rea" hypothesis add "bad" lrr=0.1; says 'Did you mean lr'
want 2 "$rea" hypothesis add "same" dim=8; says 'baseline itself'
want 0 "$rea" plan edit; says '^keep H2'
sed -e 's/^keep H2/drop H2/' -e '$a add dim=12 wide=true' out >edited
want 0 "$rea" plan edit --from=edited; says 'next: rea approve'
"$rea" --json hypothesis list >h.json
jq -e '.hypotheses[1].dropped and (.hypotheses[-1].source == "engineer")' \
    h.json >/dev/null || fail "edit: $(cat h.json)"
want 2 "$rea" budget C1 10; says 'part of the plan'
hash=$("$rea" hypothesis list | sed -n 's/^next: rea approve //p')
want 2 "$rea" approve "$hash" --budget 500; says 'may only lower'
want 0 "$rea" approve "$hash" --budget 60; says 'at most 60 trials'
want 0 "$rea" run C1
want 0 "$rea" pin H4; says 'pinned'
want 0 "$rea" try lr=0.02,0.05 wide=true; says 'wide'
want 0 "$rea" pause C1 --why lunch; [ "$(state)" = paused ] || fail pause
sleep 1.5
before=$("$rea" --json status | jq '.campaigns[0].trials.ok')
sleep 1
[ "$("$rea" --json status | jq '.campaigns[0].trials.ok')" = "$before" ] ||
    fail "it runs while paused"
want 0 "$rea" resume C1; [ "$(state)" = running ] || fail resume
want 0 "$rea" budget C1 50; says '50'
want 0 "$rea" budget C1 80; says 'needs a signature'
want 0 "$rea" approve "$(sed -n 's/^next: rea approve //p' out)"
says 'at most 80'
want 1 "$rea" budget C1 1; says 'less than what is spent'
want 0 "$rea" stop C1 --why "enough"; [ "$(state)" = stopped ] || fail stop
sleep 1.5
"$rea" --json status | jq -e '.campaigns[0].budget.reserved == 0' >/dev/null ||
    fail "a reservation is left: $("$rea" --json status)"
want 2 "$rea" run C1; says 'stopped'
want 1 "$rea" resume C1
want 0 "$rea" replay C1
want 0 "$rea" why C1; says 'enough'
exit 0
