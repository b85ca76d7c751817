#!/bin/sh
# bench-sources, small, on generated data: each arm gets its ideas from where it
# says and from nowhere else, the new backbone comes from the corpus alone and
# is cited, a call that is out of time starts nothing, the next one goes on, and
# the page holds the tables.
. "$(dirname "$0")/lib.sh"
bench=$build/bench-sources
[ -x "$bench" ] || { echo "$test_name: $bench is not built"; exit 1; }
mkdir data
"$build/rea-ctr" --generate=data/toy --rows=3000 --gen-seed=1 --gen-vocab=100 ||
    fail generate
sed 's/"128,64"\]/"16"]/; s/default = "64,32"/default = "16"/' \
    "$top/bench/sources/ctr.toml" >ctr.toml || fail "no knobs"
printf '%s\t' toy toy '{ctr} --data={data}/toy {common} {knobs}' \
    --report-test=true valid.auc test.auc max 0.002 0.15 0.8 >tasks.tsv
echo ctr.toml >>tasks.tsv
cat >papers.jsonl <<'END'
{"id": "10.1145/3583780.3615089", "date": "2023-10-21", "title": "A cross network with gates", "abstract": "Each cross layer of our Gated Deep Cross Network (GDCN) has a gate."}
END
run="$bench --tasks=tasks.tsv --data=data --work=work --out=r.jsonl --seeds=1
    --fresh=2 --papers=papers.jsonl --arms=both,insights,research,chance,greedy"
want 0 $run --minutes=0.0001
[ ! -s r.jsonl ] || [ "$(wc -l <r.jsonl)" -lt 2 ] || fail "it went on too long"
want 0 $run
says '6 units, 0 failed'
[ "$(wc -l <r.jsonl)" = 6 ] || fail "not 6 lines: $(cut -c1-200 r.jsonl)"
sources() { # ARM: where its ideas came from
    jq -r "select(.arm == \"$1\") | .ideas[].source" r.jsonl | sort -u | xargs
}
[ "$(sources both)" = "insight research" ] || fail "both: $(sources both)"
[ "$(sources insights)" = insight ] || fail "insights: $(sources insights)"
[ "$(sources research)" = research ] || fail "research: $(sources research)"
[ "$(sources chance)" = engineer ] || fail "chance: $(sources chance)"
for arm in both research; do
    jq -r "select(.arm == \"$arm\") | .ideas[] |
        select(.source == \"research\" and (.statement | test(\"to gdcn\"))) |
        .cites" r.jsonl >cites
    [ "$(cat cites)" = https://doi.org/10.1145/3583780.3615089 ] ||
        fail "$arm does not propose gdcn: $(cat cites)"
done
! jq -r 'select(.arm == "insights") | .ideas[].statement' r.jsonl |
    grep -q gdcn || fail "insights know gdcn"
want 0 $run
[ "$(wc -l <r.jsonl)" = 6 ] || fail "a second call did something"
want 0 "$bench" --report=r.jsonl
says '^\| both \| [-+][0-9.]+ \[.* of 1 \|'
says '^\| chance \| [-+]'
says '^\| toy \| 1 \| (both|research) \| H[0-9]+ \| research \| https://doi'
want 2 "$bench" --nonsense
want 1 "$bench" --report=/nowhere.jsonl
# an arm with a corpus says when it gets none
want 1 $bench --tasks=tasks.tsv --data=data --work=work --out=q.jsonl --seeds=1 \
    --fresh=1 --arms=research
says 'needs --papers'
exit 0
