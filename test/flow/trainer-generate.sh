#!/bin/sh
# The generator is a function of its seed, and its truth is honest: first-order
# models stay below the Bayes AUC by about the planted gain, fm closes part of
# it, and nothing beats the truth.
ctr=$(cd "${BUILD:-build}" && pwd)/rea-ctr
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir" || exit 1
fail() { echo "trainer-generate: $*" >&2; exit 1; }
get() { sed -n "s/.*\"$1\":\([-0-9.e]*\).*/\1/p" "$2" | sort -n | tail -1; }
make="--rows=200000 --gen-vocab=300 --gen-interaction=2"
"$ctr" --generate=a $make && "$ctr" --generate=b $make || fail generate
for f in split.train.ffm split.valid.ffm split.test.ffm truth.json; do
    cmp a/$f b/$f || fail "$f differs for one seed"
done
grep -q '"synthetic":true' a/truth.json || fail "not called synthetic"
for model in lr fm; do
    "$ctr" --data=a --cache=c --model=$model --dim=8 --optimizer=adagrad \
        --lr=0.1 --embedding-l2=1e-5 --epochs=10 --report-test=true \
        --metrics=$model || fail $model
done
bayes=$(get bayes_auc a/truth.json) additive=$(get additive_auc a/truth.json)
awk -v b="$bayes" -v a="$additive" -v lr="$(get test.auc lr)" \
    -v fm="$(get test.auc fm)" 'BEGIN {
    print "bayes", b, "additive", a, "lr", lr, "fm", fm
    exit !(lr < a + .005 && lr > a - .02 && fm > a + .3 * (b - a) && fm < b)}' ||
    fail "the truth does not hold"
