#!/usr/bin/env bash
# rea-agent killed at system calls spread over a whole conversation: the next
# plan ends with the same ideas, and asks for no reply that had arrived. A
# request that was under way is asked again, once for a kill.
. "$(dirname "$0")/lib.sh"
. "$top/test/lib/agent.sh"
[ -x "$build/test/kill_at" ] || skip "build/test/kill_at is not built"
points=${1:-14}
mkdir bin && cp "$rea" "$build/rea-shim" "$build/rea-read" bin && rea=$dir/bin/rea
cat >bin/rea-agent <<S
#!/bin/sh
[ -z "\$AT" ] || exec "$build/test/kill_at" "\$AT" "$build/rea-agent" "\$@"
exec "$build/rea-agent" "\$@"
S
chmod +x bin/rea-agent
shell_model ws && cd ws || exit 1
paper
want 0 "$rea" --json plan # the insights are there
full >full.json
cp -r .rea fresh
begin() { # the state of before, and a server that knows nothing
    rm -rf .rea && cp -r fresh .rea
    serve full.json
    model
}
begin
# not killed, kill_at tells how many calls there were
n=$(AT=999999999 "$rea" plan 2>&1 | sed -n 's/.*not asked (\([0-9]*\)).*/\1/p')
[ "${n:-0}" -gt 500 ] || fail "no count of system calls: $n"
begin
want 0 "$rea" --json plan
plan_of() { # the hash of a conversation names the server's port
    jq -c '[.hypotheses[] | {statement, change, evidence}]' out |
        sed -E 's/conversation[ ":]*[0-9a-f]*//g'
}
want=$(plan_of)
[ "$(ideas out)" = 1 ] || fail "no idea without a kill: $(cat out)"
[ "$(requests)" = 4 ] || fail "$(requests) requests without a kill"
died=0 again_all=0
for k in $(seq 1 "$points"); do
    begin
    AT=$((k * n / (points + 1))) "$rea" plan >killed.out 2>&1
    grep -q 'not asked (no result)' killed.out && died=$((died + 1))
    want 0 "$rea" --json plan
    [ "$(plan_of)" = "$want" ] || fail "another plan: $(plan_of | tail -c 900)"
    again=$(grep -c '"again": true' talk.log)
    [ "$again" -le 1 ] || fail "$again requests again after one kill"
    [ $(($(requests) - again)) = 4 ] || fail "$(requests) requests"
    again_all=$((again_all + again))
done
[ "$died" -ge $((points / 2)) ] || fail "only $died of $points were killed"
echo "$died of $points killed, $again_all requests were under way"
exit 0
