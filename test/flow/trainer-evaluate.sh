#!/bin/sh
# Evaluation of last.ckpt gives the test metrics that training reported for the
# best epoch; predictions stand in row order; other data is refused.
ctr=$(cd "${BUILD:-build}" && pwd)/rea-ctr
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir" || exit 1
fail() { echo "trainer-evaluate: $*" >&2; exit 1; }
get() { sed -n "s/.*\"$1\":\([-0-9.e]*\).*/\1/p" "$2"; }
"$ctr" --generate=data --rows=20000 && "$ctr" --generate=other --rows=20000 \
    --gen-seed=2 || fail generate
# A rate that overfits, so that the best epoch is not the last one.
"$ctr" --data=data --model=deepfm --lr=0.01 --epochs=6 --patience=0 --out=run \
    --metrics=m --report-test=true --predictions=p.valid || fail train
best=$(get valid.auc m | sort -n | tail -1)
grep "\"valid.auc\":$best" m >line
test "$(get step line)" -lt 6 || fail "the best epoch should not be the last"
for ckpt in last best; do
    rm -f e; "$ctr" --data=data --evaluate=test --load=run/$ckpt.ckpt \
        --metrics=e --predictions=p || fail "evaluate $ckpt"
    test "$(get test.auc e)" = "$(get test.auc line)" || fail "$ckpt: test.auc"
    test "$(get step e)" = "$(get step line)" || fail "$ckpt: epoch"
done
"$ctr" --data=data --evaluate=valid --load=run/last.ckpt --metrics=v \
    --predictions=p.valid2 || fail "evaluate valid"
test "$(get valid.auc v)" = "$best" || fail valid.auc
cmp p.valid p.valid2 || fail "predictions of training and evaluation differ"
head -1 p | grep -qx id,label,score || fail header
cut -d' ' -f1 data/split.test.ffm >labels
sed 1d p | cut -d, -f2 | cmp - labels || fail "labels are out of order"
"$ctr" --data=other --evaluate=test --load=run/last.ckpt 2>err
test $? = 2 && grep -q "other data" err || fail "other data: $(cat err)"
"$ctr" --data=data --model=fm --epochs=1 >sealed; grep -q test sealed &&
    fail "test metrics without --report-test"
exit 0
