#!/bin/sh
# A preempted run of each kind of model, stopped in the middle of an epoch and resumed,
# ends with the same checkpoint, byte for byte, and the same metrics.
ctr=$(cd "${BUILD:-build}" && pwd)/rea-ctr
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir" || exit 1
fail() { echo "trainer-resume: $*" >&2; exit 1; }
strip() { sed 's/,"samples_per_s".*//' "$1"; }
"$ctr" --generate=data --rows=20000 || fail generate
for model in fm dcnv2 gdcn final; do
    flags="--data=data --cache=cache --model=$model --epochs=4 --patience=0
        --dropout=0.2 --batch-norm=true --batch-size=100 --seed=7
        --lr-schedule=cosine --negative-rate=0.8 --field-gate=true"
    "$ctr" $flags --out=whole --metrics=whole.m || fail "$model"
    "$ctr" $flags --out=part --metrics=part.m --inject=term@200 2>err
    test $? = 85 || fail "$model: exit code of a preemption"
    "$ctr" $flags --out=part --metrics=part.m --resume=part/last.ckpt \
        --inject=term@333 2>err
    test $? = 85 || fail "$model: exit code of the second preemption"
    "$ctr" $flags --out=part --metrics=part.m --resume=part/last.ckpt ||
        fail "$model: resume"
    cmp whole/last.ckpt part/last.ckpt || fail "$model: last.ckpt differs"
    cmp whole/best.ckpt part/best.ckpt || fail "$model: best.ckpt differs"
    test "$(strip whole.m)" = "$(strip part.m)" || fail "$model: metrics differ"
    test "$(wc -l <whole.m)" = 4 || fail "$model: lines of metrics"
    # A signal at any time, from outside.
    "$ctr" $flags --out=late --metrics=late.m 2>err & sleep 0.05
    kill -TERM $! 2>/dev/null; wait $!
    code=$?
    test $code = 0 || test $code = 85 || fail "$model: late exit $code"
    test $code = 0 || "$ctr" $flags --out=late --metrics=late.m \
        --resume=late/last.ckpt || fail "$model: late resume"
    cmp whole/last.ckpt late/last.ckpt || fail "$model: late differs"
    head -c 5000 part/last.ckpt >torn
    "$ctr" $flags --resume=torn 2>err; test $? = 2 || fail "torn: exit code"
    grep -q torn err || fail "torn: message"
    "$ctr" $flags --resume=part/last.ckpt --lr=0.5 2>err
    test $? = 2 && grep -q "another --lr" err || fail "changed flag"
    rm -rf whole* part* late
done
