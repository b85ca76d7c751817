#!/usr/bin/env bash
# rea trusts rea-agent as little as a model: a program in its place that lies,
# hangs up, writes rubbish or is not there leaves a plan that stands, with
# nothing outside the declared domains.
. "$(dirname "$0")/lib.sh"
mkdir bin && cp "$rea" "$build/rea-shim" bin && rea=$dir/bin/rea
shell_model ws && cd ws || exit 1
printf '[model]\nprovider = "vllm"\nbase_url = "http://127.0.0.1:9/v1"\n' \
    >>rea.toml
want 0 "$rea" plan --model=no
says_not 'model:'
want 0 "$rea" plan
says 'model: rea-agent is not installed beside rea: without a model'
fake() { # SAYS: writes this as the result
    cat >said.json
    cat >../bin/rea-agent <<S
#!/bin/sh
while [ "\$1" != --out ]; do shift; done
cp "$PWD/said.json" "\$2"
S
    chmod +x ../bin/rea-agent
    want 0 "$rea" --json plan
}
n() { jq "[.hypotheses[] | select(.statement | test(\"$1\"))] | length" out; }
idea() { # STATEMENT CHANGES [EVIDENCE]
    printf '{"statement":"%s","rationale":"r","relation":"new","changes":%s,"evidence":%s}' \
        "$1" "$2" "${3:-[]}"
}
talk() { # PROPOSALS...: a result that says done
    printf '{"scope_usd":null,"scope_tokens":1,"talk":{"talk":1,"status":"done","why":"","model":"fake","hash":"abcd","tokens_in":5,"tokens_out":5,"usd":null,"asked":3,"wake_ms":0,"dropped":0,"proposals":[%s],"result":null}}' \
        "$(IFS=,; echo "$*")"
}
talk "$(idea good '[{"knob":"dim","value":"57"}]')" \
    "$(idea evil1 '[{"knob":"dim","value":"5700"}]')" \
    "$(idea evil2 '[{"knob":"train.command","value":"sh -c id"}]')" \
    "$(idea evil3 '[{"knob":"lr","value":"1e308"}]')" \
    "$(idea evil4 '[{"knob":"lr","value":0.5}]')" \
    "$(idea evil5 '[]')" "$(idea evil6 '"lr=0.5"')" "$(idea evil7 null)" \
    "$(idea evil8 '[{"knob":"dim","value":"8"}]')" \
    '{"statement":7}' '"evil9"' | fake
[ "$(n good)" = 1 ] || fail "the good idea is not there: $(cat out err)"
[ "$(n evil)" = 0 ] || fail "an evil idea got through: $(cat out)"
big=$(head -c 20000 /dev/zero | tr '\0' x)
talk "$(idea huge '[{"knob":"dim","value":"58"}]' "[\"$big\"]")" | fake
[ "$(n huge)" = 0 ] || fail "evidence beyond the limit got through"
for rubbish in '' 'no JSON' '{"talk": 7}' '{"talk": {}}' '[1, 2]' \
    '{"talk":{"status":"done","model":"m","proposals":"x"}}' \
    '{"talk":{"status":"later","model":"m","wake_ms":"soon"}}'; do
    printf '%s' "$rubbish" | fake
    [ "$(jq '.hypotheses | length' out)" -ge 3 ] || fail "rubbish: $rubbish"
done
printf '#!/bin/sh\necho "cannot think" >&2\nexit 1\n' >../bin/rea-agent
want 0 "$rea" plan
says 'model: the model was not asked \(cannot think\): without it'
printf '#!/bin/sh\nkill -9 $$\n' >../bin/rea-agent
want 0 "$rea" plan
says 'model: the model was not asked'
# the report's paragraph is data as well
want 0 "$rea" approve "$("$rea" --json plan 2>/dev/null | jq -r .hash)"
want 0 "$rea" stop C1
want 0 "$rea" report C1 --md --summary
says 'not asked'
exit 0
