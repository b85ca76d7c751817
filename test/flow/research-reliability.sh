#!/bin/sh
# What was predicted of ideas stands beside what was measured, and corrects
# what is predicted next; either source of ideas can be left out.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
want 0 "$rea" research reliability; says 'no prediction has its outcome'; short
sign
want 0 "$rea" run --wait
want 0 "$rea" insight export --own -o own.jsonl
tried=$(jq -c 'select(.context.raw != null and .hypothesis[0:1] == "H" and
    (.hypothesis | contains("+") | not))' own.jsonl | wc -l)
told=$(jq -c 'select(.context.predicted.sd > 0)' own.jsonl | wc -l)
[ "$told" -gt 0 ] && [ "$told" = "$tried" ] ||
    fail "$told predictions of $tried outcomes kept"
want 0 "$rea" research reliability; says '^all  '; short
want 0 "$rea" --json research reliability
[ "$(jq '.reliability[0].n' out)" = "$told" ] || fail "table: $(cat out)"
jq -e '.reliability[0] | ([.bins[].n] | add) == .n and .covered80 >= 0 and
    .covered80 <= 1' out >/dev/null || fail "bins: $(cat out)"
# The report says what each source brought.
want 0 "$rea" report --md; says '^## What each source of ideas brought'
want 0 "$rea" --json report
jq -e '(.sources | length) > 0 and all(.sources[]; .held <= .tried)' out \
    >/dev/null || fail "sources: $(jq -c .sources out)"

# Predictions that were far too high, all of one knob: the next are lower.
mkdir ../next && cp rea.toml train.sh ../next && cd ../next || exit 1
mean() { jq -r '[.hypotheses[] | select(.change | keys == ["lr"]) |
    .predicted.mean] | add / length' "$1"; }
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    jq -nc --arg i "$i" '{origin: "x/H\($i)", campaign: "x",
        hypothesis: "H\($i)", concept: "learning_rate", knob: "lr",
        from: "0.01", to: "0.0\($i)", family: "other", metric: "auc",
        statement: "lr \($i)", effect: 0, sd: 1e-4, lo: -2e-4, hi: 2e-4, n: 4,
        verdict: "null", date: "2020-01-01", context: {model: "m\($i)",
        raw: -4e-3, raw_sd: 1e-4, predicted: {source: "insight", mean: 1e-3,
        sd: 2e-3, p_gain: 0.69}}}'
done >rows.jsonl
want 0 "$rea" insight import rows.jsonl; says '12 added'
want 0 "$rea" --json research reliability
jq -e '.reliability[0] | .n == 12 and .covered80 == 0' out >/dev/null ||
    fail "what was wrong: $(cat out)"
want 0 "$rea" plan --json && cp out after.json
# ... than where the same results had not been predicted.
mkdir ../plain && cp rea.toml train.sh ../plain
jq -c 'del(.context.predicted)' rows.jsonl >../plain/rows.jsonl
want 0 "$rea" -C ../plain insight import ../plain/rows.jsonl; says '12 added'
want 0 "$rea" -C ../plain --json plan && cp out before.json
before=$(mean before.json) after=$(mean after.json)
awk -v a="$before" -v b="$after" 'BEGIN {exit !(b < a)}' ||
    fail "lr was predicted $before, and $after when that had been wrong"

# Without a source none of its ideas are there.
cd .. && for from in insights research; do
    mkdir "no-$from" && cp ws/rea.toml ws/train.sh "no-$from"
    want 0 "$rea" -C "no-$from" --json plan "--from-$from=no"
    jq -e --arg s "${from%s}" '(.hypotheses | length) > 0 and
        all(.hypotheses[]; .source != $s)' out >/dev/null ||
        fail "--from-$from=no: $(jq -c '[.hypotheses[].source]' out)"
done
exit 0
