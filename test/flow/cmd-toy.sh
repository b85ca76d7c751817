#!/bin/sh
# The contract's toy, unchanged, in a minute: check, plan, approve, run,
# report; the documents have what their schemas require.
. "$(dirname "$0")/lib.sh"
contract=${REA_CONTRACT:-$top/../shared/contract}
[ -d "$contract/toy" ] || skip "no contract folder (REA_CONTRACT)"
cp -R "$contract/toy" ws && chmod -R u+w ws && cd ws || exit 1
begin=$(date +%s)
want 0 "$rea" check; short; says 'ok +knobs +4 of 4'
[ $(($(date +%s) - begin)) -le 20 ] || fail "check took more than 20 s"
sign
want 0 "$rea" run --wait; short
"$rea" --json report >report.json || fail "report --json"
"$rea" --json status >status.json || fail "status --json"
want 0 "$rea" report -o r.html
[ $(($(date +%s) - begin)) -le 60 ] || fail "more than 60 s"
# required SCHEMA DOCUMENT: every required key at every level is there
required() {
    jq -n --slurpfile s "$1" --slurpfile d "$2" '
      def need($s; $d): ($s.required // [])[] as $k
        | if ($d | has($k)) then empty else "no " + $k end;
      def walk($s; $d):
        if $d == null then empty
        elif ($s.anyOf // null) != null then
          walk([$s.anyOf[] | select(.type == "object")][0] // {}; $d)
        elif ($d | type) == "object" then need($s; $d),
          (($s.properties // {}) | keys[]) as $k
          | select($d | has($k)) | walk($s.properties[$k]; $d[$k])
        elif ($d | type) == "array" then $d[] | walk($s.items // {}; .)
        else empty end;
      [walk($s[0]; $d[0])] | if . == [] then empty else .[] end' >missing
    [ ! -s missing ] || fail "$2: $(sort -u missing)"
}
required "$contract/plan.schema.json" plan.json
required "$contract/status.schema.json" status.json
required "$contract/report.schema.json" report.json
jq -e '.proposal.sealed.gain >= .0012 and .proposal.sealed.lo > 0' \
    report.json >/dev/null || fail "$(jq -c .proposal report.json)"
[ "$(jq '[.hypotheses[].source] | unique | length' plan.json)" -ge 2 ] ||
    fail "one source of ideas only"
exit 0
