#!/usr/bin/env bash
# A failure that no rule knows: at the gate a scripted model names a remedy of
# the runbook, which is shown and not done; what it was sent holds neither
# secrets nor sealed values. A finished campaign gets a paragraph whose numbers
# are the report's. The budget in usd is charged.
. "$(dirname "$0")/lib.sh"
. "$top/test/lib/agent.sh"

shell_model bad && cd bad || exit 1
cat >train.sh <<'S'
echo "epoch 1: valid auc = 0.7,"
echo "test auc = 0.71234"
echo "connecting with api_key=sk-live-abcdefghijklmnop0123456789"
echo "shard 17 has 3 columns instead of 40" >&2
exit 3
S
cat >gate.json <<'J'
{"turns": [{"purpose": "diagnosis", "text": "{\"remedy\": \"give up\", \"explanation\": \"shard 17 is torn\", \"question\": \"who writes the shards?\"}"}]}
J
serve gate.json
model "price_in = 10" "price_out = 50"
want 0 "$rea" --json plan --model=no
want 0 "$rea" approve "$(jq -r .hash out)"
want 3 "$rea" run C1 --wait
want 0 "$rea" status
says 'scripted suggests give up \(rea why T[0-9]+\); 6 trials failed'
want 0 "$rea" why "$(grep -oE 'why T[0-9]+' out | grep -oE 'T[0-9]+')"
says 'a model scripted answered on diagnosis.* suggests give up'
says 'torn - question to you: who writes the shards\?'
[ "$(state)" = halted ] || fail "the gate is open"
[ "$(grep -c . talk.log)" = 1 ] || fail "asked $(grep -c . talk.log) times"
grep -q 'shard 17 has 3 columns' talk.log || fail "the log was not sent"
! grep -qE 'sk-live|0\.71234' talk.log || fail "a secret was sent"
want 0 "$rea" sweep
[ "$(grep -c . talk.log)" = 1 ] || fail "asked again at the same gate"
want 0 "$rea" replay C1
cd ..

shell_model good && cd good || exit 1
sed -i 's/^unit = .*/unit = "usd"\nprice_per_hour = 3.6/; s/^total = .*/total = 40/' rea.toml
cat >sum.json <<'J'
{"turns": [
 {"purpose": "hypotheses", "calls": [
  {"name": "propose_hypothesis", "args": "{\"statement\": \"wider\", \"rationale\": \"r\", \"changes\": [{\"knob\": \"dim\", \"value\": \"57\"}], \"evidence\": []}"},
  {"name": "finish", "args": "{}"}]},
 {"purpose": "reflection", "text": "{\"drop\": []}"},
 {"purpose": "summary", "text": "{\"paragraph\": \"The campaign C1 is over. It gained 47 points. H1 was looked at.\"}"}]}
J
serve sum.json
model
want 0 "$rea" plan
says 'a budget in usd needs price_in and price_out'
model "price_in = 90000" "price_out = 90000" # one request: more than all of it
want 0 "$rea" plan
says 'gave no reply \(the budget'
[ "$(requests)" = 0 ] || fail "sent beyond the budget"
model "price_in = 10" "price_out = 50"
want 0 "$rea" --json plan
want 0 "$rea" approve "$(jq -r .hash out)"
spent=$("$rea" --json status C1 | jq '.campaigns[0].budget.spent')
[ "$(jq -n "$spent > 0.001 and $spent < 0.5")" = true ] ||
    fail "the plan's model was charged $spent"
want 0 "$rea" run C1
want 0 "$rea" stop C1
until_state stopped
i=0
while [ "$("$rea" --json status C1 | jq '.campaigns[0].trials.running')" != 0 ]
do
    i=$((i + 1))
    [ $i -lt 100 ] || fail "does not settle"
    sleep 0.2
done
before=$("$rea" --json status C1 | jq '.campaigns[0].budget.spent')
want 0 "$rea" report C1 --md --summary
says 'The campaign C1 is over\. H1 was looked at\.'
says 'Written by the language model scripted'
says_not '47 points'
want 0 "$rea" --json report C1
[ "$(jq -r .summary.written_by out)" = scripted ] || fail "$(cat out)"
after=$("$rea" --json status C1 | jq '.campaigns[0].budget.spent')
[ "$(jq -n "$after > $before")" = true ] || fail "the summary cost nothing"
want 0 "$rea" replay C1
want 0 "$rea" report C1 --summary
[ "$(grep -c '"purpose": "summary"' talk.log)" = 1 ] || fail "asked twice"
exit 0
