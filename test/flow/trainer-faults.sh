#!/bin/sh
# Injected faults end as they say; the same seed gives the same numbers; one
# process of many meets a fault that is injected once; a rate that explodes is
# caught by the NaN guard.
ctr=$(cd "${BUILD:-build}" && pwd)/rea-ctr
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir" || exit 1
fail() { echo "trainer-faults: $*" >&2; exit 1; }
train() { "$ctr" --data=data --cache=c --epochs=1 --metrics=m "$@" 2>err; }
strip() { sed 's/,"samples_per_s".*//' "$1"; }
"$ctr" --generate=data --rows=20000 || fail generate
train --inject=nan@5; test $? = 86 || fail nan
grep -q "loss is nan at step 5" err || fail "nan: $(cat err)"
grep -q '"train.loss":NaN' m || fail "no NaN in the metrics"
train --inject=exit:7@3; test $? = 7 || fail exit
train --inject=kill@3; test $? = 137 || fail kill
train --inject=segv@3; test $? = 139 || fail segv
(ulimit -v 600000; train --inject=oom@3); test $? = 1 || fail oom
grep -q "out of memory" err || fail "oom: $(cat err)"
(ulimit -v 200000; timeout -s KILL 20 "$ctr" --data=data --model=dcnv2 2>err)
test $? = 1 && grep -q "address space" err || fail "limit: $(cat err)"
timeout -s KILL 1 "$ctr" --data=data --cache=c --inject=hang@3 2>err
test $? = 137 || fail hang
train --inject=frob@3; test $? = 2 || fail "unknown fault"
export REA_INJECT=exit:9@4 REA_INJECT_ONCE="$dir/once"
train; test $? = 9 || fail "once: first"
train || fail "once: second"
unset REA_INJECT REA_INJECT_ONCE
train --optimizer=sgd --lr=100 --embedding-lr=100 --init-std=10 --epochs=20
test $? = 86 || fail "explosion"
rm m; train --model=dcnv2 --dropout=0.3; strip m >a
rm m; train --model=dcnv2 --dropout=0.3; strip m >b
cmp a b || fail "the same seed gives other numbers"
rm m; train --model=dcnv2 --dropout=0.3 --seed=2; strip m >b
cmp -s a b && fail "another seed gives the same numbers"
train --embeding-lr=1; test $? = 2 || fail "unknown flag"
grep -q "did you mean --embedding-lr" err || fail "did you mean: $(cat err)"
"$ctr" --help | grep -q -- "--inject" || fail help
exit 0
