#!/usr/bin/env bash
# A plan with the ideas of a scripted model behind a real server: they are
# cited, judged, budgeted; hostile replies leave the plan as it is without; a
# kill or a wait in the middle costs nothing.
. "$(dirname "$0")/lib.sh"
. "$top/test/lib/agent.sh"

shell_model ws && cd ws || exit 1
paper
want 0 "$rea" --json plan
cp out without.json

full >full.json
serve full.json
model
want 0 "$rea" plan
says 'model: scripted: 1 ideas, 1 dropped on reflection; 4 replies'
says 'a much wider embedding'
says_not 'out of range|slow and wide'
want 0 "$rea" --json plan
cp out with.json
[ "$(ideas with.json)" = 1 ] || fail "not one idea: $(cat with.json)"
[ "$(requests)" = 4 ] || fail "$(requests) requests, not 4"
h=$(jq -r '.hypotheses[] | select(.statement == "a much wider embedding") | .id' \
    with.json)
want 0 "$rea" hypothesis show "$h"
says 'arXiv:2304.00902'
want 0 "$rea" log C1 --all
says 'a model scripted answered on hypotheses'
want 0 "$rea" research agent --show
says 'outside its domain: a whole number from 4 to 64'
says 'Q2 dropped .*: two changes at once'
[ -z "$(grep -l 'sk-' .rea/agent.db)" ] || fail "a key is in the state"
# without it nothing is asked, and the plan is the one of before
want 0 "$rea" --json plan --model=no
[ "$(ideas out)" = 0 ] || fail "--model=no has a model's idea"
# by hand: into the draft, under a new hash; a second time it is known
serve full.json
model
want 0 "$rea" research agent C1
says 'H[0-9]+  a much wider embedding'
says 'next: rea plan edit'
want 0 "$rea" --json research agent C1
[ "$(jq .added out)" = 0 ] || fail "the same idea twice"
want 0 "$rea" hypothesis list C1
says 'research .*a much wider embedding'
# the plan is signed and replayed with what the model said
sign
want 0 "$rea" replay C1
was=$(requests)
want 0 "$rea" research agent C1 --explain-egress
says "127.0.0.1"
says_not 'test_auc": *0\.[0-9]'
[ "$(requests)" = "$was" ] || fail "explaining has sent something"
cd ..

# every hostile script: the plan has no idea outside its domains, and stands
shell_model evil && cd evil || exit 1
n=0
for f in "$top"/test/hostile/replies/*.json; do
    rm -f .rea/*rea.db* .rea/agent.db .rea/model.db*
    serve "$f"
    model
    want 0 "$rea" --json plan
    bad=$(jq -r '[.hypotheses[] | (.change // {}) | to_entries[] | select(
        (.key == "lr" and (.value < 1e-3 or .value > 1)) or
        (.key == "dim" and (.value < 4 or .value > 64)) or
        (.key == "wide" and (.value | type) != "boolean") or
        (.key | IN("lr", "dim", "wide") | not))] | length' out)
    [ "$bad" = 0 ] || fail "$f: $(cat out)"
    [ "$(jq '.hypotheses | length' out)" -ge 3 ] || fail "$f emptied the plan"
    n=$((n + 1))
done
[ $n -ge 15 ] || fail "only $n hostile replies"
cd ..

# the provider says later: hibernate, and go on when the time has come
shell_model later && cd later || exit 1
jq '.turns |= [.[0], {purpose: "hypotheses", status: 429,
    headers: {"Retry-After": "3600"}}] + .[1:]' ../ws/full.json >late.json
paper
serve late.json
model
want 0 "$rea" plan
says 'scripted says later: rea sweep goes on at'
[ -s .rea/agent.wake ] || fail "no time to wake"
want 0 "$rea" sweep
says_not 'model:'
[ "$(requests)" = 2 ] || fail "later: $(requests) requests"
REA_CLOCK=$PWD/clock
export REA_CLOCK
echo $((($(date +%s) + 7200) * 1000)) >clock
serve ../ws/full.json
model
want 0 "$rea" sweep
says 'a conversation went on'
[ ! -f .rea/agent.wake ] || fail "still waits"
unset REA_CLOCK
want 0 "$rea" --json plan
[ "$(ideas out)" = 1 ] || fail "later: $(ideas out) ideas"
cd ..

# no server, and no money: the plan goes without
shell_model gone && cd gone || exit 1
base=http://127.0.0.1:9/v1
model
want 0 "$rea" plan
says 'model: scripted gave no reply'
serve ../ws/full.json
model 'budget_tokens = 500'
want 0 "$rea" plan
says 'model: scripted gave no reply .*budget'
[ "$(requests)" = 0 ] || fail "sent without money: $(requests)"
exit 0
