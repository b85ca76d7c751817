#!/usr/bin/env bash
# A plan with the ideas of a scripted model behind a real server: they are
# cited, judged, budgeted; hostile replies leave the plan as it is without; a
# kill or a wait in the middle costs nothing.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3"
[ -x "$build/rea-agent" ] || fail "rea-agent is not built"
server=
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
serve() { # SCRIPT: starts the server; the log is talk.log
    [ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null; }
    rm -f port talk.log
    python3 "$top/test/lib/talk_server.py" "$1" talk.log >port &
    server=$!
    i=0
    while [ ! -s port ]; do
        i=$((i + 1))
        [ $i -lt 100 ] || fail "no server"
        sleep 0.1
    done
    base=http://127.0.0.1:$(cat port)/v1
}
model() { # a [model] at the server
    grep -v '^#model' rea.toml >t && mv t rea.toml
    sed -i '/^\[model\]/,$d' rea.toml
    printf '[model]\nprovider = "vllm"\nmodel = "scripted"\nstream = false\n%s\n' \
        "base_url = \"$base\"" >>rea.toml
    printf '%s\n' "$@" >>rea.toml
}
requests() { [ ! -f talk.log ] || grep -c "\"purpose\": \"${1:-}" talk.log; }
ideas() { jq -r '[.hypotheses[] | select(.evidence[]? | tostring |
    test("proposed by"))] | length' "$1"; }

shell_model ws && cd ws || exit 1
printf '%s\n' '{"id":"arXiv:2304.00902","title":"Wider embeddings",
"date":"2023-07-01","abstract":"We find that a larger embedding size improves
click-through rate prediction on large data sets by 0.1 percent AUC."}' |
    tr '\n' ' ' >papers.jsonl
want 0 "$rea" research add papers.jsonl
want 0 "$rea" --json plan
cp out without.json

cat >full.json <<'J'
{"turns": [
 {"purpose": "hypotheses", "text": "I look around.", "calls": [
  {"name": "read_knob_catalogue", "args": "{}"},
  {"name": "search_papers", "args": "{\"query\": \"embedding size\"}"},
  {"name": "read_baseline_profile", "args": "{}"}]},
 {"purpose": "hypotheses", "calls": [
  {"name": "propose_hypothesis", "args": "{\"statement\": \"a much wider embedding\", \"rationale\": \"the paper found so\", \"changes\": [{\"knob\": \"dim\", \"value\": \"57\"}], \"evidence\": [{\"ref\": \"P1\", \"quote\": \"a larger embedding size improves click-through rate prediction\"}]}"},
  {"name": "propose_hypothesis", "args": "{\"statement\": \"out of range\", \"rationale\": \"r\", \"changes\": [{\"knob\": \"dim\", \"value\": \"5700\"}], \"evidence\": []}"},
  {"name": "propose_hypothesis", "args": "{\"statement\": \"slow and wide\", \"rationale\": \"r\", \"changes\": [{\"knob\": \"lr\", \"value\": \"0.0043\"}, {\"knob\": \"dim\", \"value\": \"33\"}], \"evidence\": []}"}]},
 {"purpose": "hypotheses", "calls": [{"name": "finish", "args": "{}"}]},
 {"purpose": "reflection", "text": "{\"drop\": [{\"proposal\": \"Q2\", \"why\": \"two changes at once\"}]}"}
]}
J
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
# the plan is signed and replayed with what the model said
sign
want 0 "$rea" replay C1
want 0 "$rea" research agent C1 --explain-egress
says "127.0.0.1"
says_not 'test_auc": *0\.[0-9]'
[ "$(requests)" = 4 ] || fail "explaining has sent something"
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

# killed in the middle: the next plan goes on. A request that was on its way
# then is asked again, a reply that had come never is.
shell_model killed && cd killed || exit 1
cp ../ws/full.json . && cp ../ws/papers.jsonl . &&
    want 0 "$rea" research add papers.jsonl
serve full.json
model
for at in 0.02 0.05 0.1 0.2 0.3 0.5; do
    { timeout -s KILL $at "$rea" plan; } >/dev/null 2>&1
    # the program it started goes with it: its brief is all it needs
    for p in $(pgrep -f "rea-agent talk --root $PWD"); do kill -9 "$p"; done
done
want 0 "$rea" --json plan
[ "$(ideas out)" = 1 ] || fail "killed: $(ideas out) ideas"
again=$(grep -c '"again": true' talk.log)
[ "$again" -le 6 ] || fail "asked again $again times in 6 kills"
[ $(($(requests) - again)) = 4 ] || fail "killed: $(requests) requests"
cd ..

# the provider says later: hibernate, and go on when the time has come
shell_model later && cd later || exit 1
jq '.turns |= [.[0], {purpose: "hypotheses", status: 429,
    headers: {"Retry-After": "3600"}}] + .[1:]' ../ws/full.json >late.json
cp ../ws/papers.jsonl . && want 0 "$rea" research add papers.jsonl
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
