#!/bin/sh
# The quality that docs/trainer.md states, on real data: mean test AUC of five
# seeds at the epoch that valid chose, with the settings found on valid. Floors
# are libffm's means minus two standard errors, and what tuned models must reach.
data=${REA_DATA:-../shared/data}
test -d "$data" || { echo "trainer-quality: skipped, no data in $data"; exit 77; }
data=$(cd "$data" && pwd)
ctr=$(cd "${BUILD:-build}" && pwd)/rea-ctr
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir" || exit 1
bad=0 measured=0
check() { # name, data, floor, flags...
    name=$1 set=$2 floor=$3; shift 3
    test -d "$data/$set" || { echo "$name: skipped, no $data/$set"; return; }
    measured=$((measured + 1))
    rm -f auc; for seed in 1 2 3 4 5; do
        rm -rf run m e
        "$ctr" --data="$data/$set" --cache=cache --seed=$seed --out=run \
            --metrics=m "$@" && "$ctr" --data="$data/$set" --cache=cache \
            --evaluate=test --load=run/last.ckpt --metrics=e || exit 1
        sed 's/.*"test.auc":\([0-9.]*\).*/\1/' e >>auc
    done
    awk -v name="$name" -v floor="$floor" '{s += $1; q += $1 * $1}
        END {m = s / NR; printf "%-16s %.4f +- %.4f, floor %s\n", name, m,
        sqrt((q - NR * m * m) / (NR - 1)), floor; exit m < floor}' auc || bad=1
}
check ffm-kdd12 kdd12-small .6715 --model=ffm --dim=4 --optimizer=adagrad \
    --lr=0.0845 --l2=0.00408 --embedding-l2=1.41e-5 --batch-size=128 \
    --epochs=3 --lr-schedule=linear
check ffm-ml-100k ml-100k .7839 --model=ffm --dim=4 --optimizer=adagrad \
    --lr=0.38 --linear=false --embedding-l2=0.00077 --batch-size=32 \
    --epochs=6 --patience=3 --init-std=0.02 --adagrad-init=1 \
    --lr-schedule=linear
check fm-ml-100k ml-100k .785 --model=fm --dim=64 --optimizer=adagrad \
    --lr=0.266 --l2=6.7e-7 --embedding-l2=0.00216 --batch-size=32 \
    --epochs=10 --patience=3 --init-std=0.2 --adagrad-init=1 \
    --lr-schedule=linear
check dcnv2-criteo criteo-wide .7190 --model=dcnv2 --dim=8 --lr=0.00336 \
    --hidden=64,32 --dropout=0.5 --l2=0.000506 --embedding-l2=0.000143 \
    --batch-size=256
[ $measured -gt 0 ] || { echo "trainer-quality: skipped, no data set"; exit 77; }
exit $bad
