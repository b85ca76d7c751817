#!/bin/sh
# Every input format trains; bad rows are counted, cut-off files refused, and
# two processes may fill one cache.
ctr=$(cd "${BUILD:-build}" && pwd)/rea-ctr
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir" || exit 1
fail() { echo "trainer-reader: $*" >&2; exit 1; }
train() { "$ctr" --epochs=1 --metrics=m "$@" >out 2>err; }
"$ctr" --generate=data --rows=5000 || fail generate
sed -n '$s/.*/1 0:broken/p; 100,119s/.*/x/p' data/split.train.ffm >bad
# libffm, with 1 + 20 bad rows of 4021: within 1 %.
cat data/split.train.ffm bad >t.ffm
train --data=t.ffm || fail "ffm: $(cat err)"
grep -q "21 bad rows of 4021.*t.ffm:4001:" err || fail "bad rows: $(cat err)"
grep -q '"bad_rows":21' m || fail "bad_rows in the metrics"
train --data=t.ffm --max-bad-rows=0.001; test $? = 2 || fail "too many bad rows"
# gzip and xz, whole and cut off.
gzip -k t.ffm; xz -k t.ffm
train --data=t.ffm.gz || fail gz
train --data=t.ffm.xz || fail xz
for z in gz xz; do
    head -c 9000 t.ffm.$z >cut.ffm.$z
    train --data=cut.ffm.$z; test $? = 2 || fail "cut $z: exit code"
    grep -q "cut.ffm.$z is cut off" err || fail "cut $z: $(cat err)"
done
# The other formats; awk makes them from the first ids of a row.
f=data/split.train.ffm
awk '{l = $1 ? "+1" : "-1"; for (i = 2; i < 8; i++) { split($i, a, ":");
    l = l " " a[2] + 1 } print l}' $f >t.svm
awk '{printf "%s", $1; for (i = 0; i < 13; i++) printf "\t%s", NR % 7 ? i * NR :
    ""; for (i = 0; i < 26; i++) printf "\t%s", $(2 + i % 9); print ""}' $f >t.tsv
awk 'BEGIN {print "id,click,hour,device_id,site"}
    {printf "%d,%s,1410211%d,%s,\"%s,x\"\n", NR, $1, NR % 9, $2, $3}' $f >a.csv
awk 'BEGIN {print "user;price;bought"} {print $2 ";" NR / 7 ";" $1}' $f >t.csv
train --data=t.svm || fail "libsvm: $(cat err)"
train --data=t.tsv || fail "criteo: $(cat err)"
train --data=a.csv || fail "avazu: $(cat err)"
train --data=t.csv --fields=bought:label,price:num --numeric=standardise ||
    fail "csv: $(cat err)"
train --data=t.csv; test $? = 2 || fail "csv without a label"
grep -q "name it with --fields=COLUMN:label" err || fail "csv: $(cat err)"
train --data=t.ffm --hash-bits=12 --min-count=3 --model=deepfm || fail hash
train --data=nowhere; test $? = 2 || fail "no data"
# The cache gives the same rows; two at once are safe; a torn one is rebuilt.
strip() { sed 's/,"samples_per_s".*//' "$1"; }
rm -f m; train --data=t.ffm; strip m >want
"$ctr" --epochs=1 --metrics=m1 --data=t.ffm --cache=c 2>/dev/null &
"$ctr" --epochs=1 --metrics=m2 --data=t.ffm --cache=c 2>/dev/null
wait
"$ctr" --epochs=1 --metrics=m3 --data=t.ffm --cache=c 2>/dev/null
for t in c/*.train; do dd if=/dev/zero of="$t" bs=1 seek=3000 count=64 \
    conv=notrunc 2>/dev/null; done
"$ctr" --epochs=1 --metrics=m4 --data=t.ffm --cache=c 2>/dev/null
for i in 1 2 3 4; do
    test "$(strip m$i)" = "$(cat want)" || fail "cache changes the run ($i)"
done
