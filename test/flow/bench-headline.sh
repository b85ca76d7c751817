#!/bin/sh
# bench-headline, small, on generated data with two tasks of its own table:
# every arm spends its seconds and leaves a line, the arm with insights starts
# from the other task's campaign, a second call has nothing left to do, a line
# that was cut off is done again, and the page holds the ratio.
. "$(dirname "$0")/lib.sh"
bench=$build/bench-headline
[ -x "$bench" ] || { echo "$test_name: $bench is not built"; exit 1; }
mkdir data
for s in 1 2; do
    "$build/rea-ctr" --generate="data/toy$s" --rows=3000 --gen-seed=$s \
        --gen-vocab=100 || fail generate
done
cp "$top/bench/headline/ctr.toml" . || fail "no knobs"
for s in 1 2; do
    printf '%s\t' "toy$s" "toy$s" '{ctr} --data={data}/toy'$s' {common} {knobs}' \
        --report-test=true valid.auc test.auc max 0.002 0.1 0.5
    echo ctr.toml
done >tasks.tsv
printf 'gone\tno-such-data\tx {knobs}\t\tv\tt\tmax\t1\t1\t2\tctr.toml\n' >>tasks.tsv
run="$bench --tasks=tasks.tsv --data=data --work=work --out=r.jsonl --seeds=1
    --fresh=2 --python=/nonexistent --arms=library,rea-alone,tpe,random,greedy,rea"
want 0 $run
says 'gone is left out: no no-such-data'
says 'has no Optuna: its arms are left out'
says '12 units, 0 failed'
[ "$(wc -l <r.jsonl)" = 12 ] || fail "not 12 lines: $(cut -c1-200 r.jsonl)"
for arm in default library rea-alone random greedy rea; do
    [ "$(grep -c "\"arm\":\"$arm\"" r.jsonl)" = 2 ] || fail "not twice: $arm"
done
# nobody spends more than his seconds and one run
grep -v '"library"' r.jsonl | sed -n 's/.*"spent_s":\([0-9.e-]*\).*/\1/p' >spent
[ "$(wc -l <spent)" = 8 ] || fail "spent is missing"
awk '$1 < .2 || $1 > .75 {bad = 1} END {exit bad}' spent ||
    fail "spent: $(cat spent)"
# the other task's lessons, and not its own
grep -q 'campaign C1 on toy2' work/toy1/rea-1/earlier.jsonl ||
    fail "no lessons from toy2"
! grep -q 'campaign C1 on toy1' work/toy1/rea-1/earlier.jsonl ||
    fail "its own lessons"
[ ! -e work/toy1/rea-alone-1/earlier.jsonl ] || fail "rea-alone got lessons"
want 0 $run
[ "$(wc -l <r.jsonl)" = 12 ] || fail "a second call did something"
head -n 11 r.jsonl >cut && tail -n 1 r.jsonl | head -c 40 >>cut && mv cut r.jsonl
want 0 $run
[ "$(grep -c '^{.*}$' r.jsonl)" = 12 ] || fail "the torn line was not done again"
want 0 "$bench" --report=r.jsonl
says '^\| rea / (random|greedy), sealed metric \| [-0-9.inf]+ \|'
says '^\| toy1 \| 0\.'
