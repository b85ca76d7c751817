#!/bin/sh
# Speed of the bundled trainer: rows a second of each model on one core, with
# 10 fields, embedding 16, perceptron 128-64, batch 512, single precision; with
# PyTorch's figures beside them where it is installed. Seconds are those of the
# processor, so that other work on the machine does not count. Prints a table.
ctr=$(cd "${BUILD:-build}" && pwd)/rea-ctr
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir" || exit 1
rows=${ROWS:-400000}
"$ctr" --generate=data --rows="$rows" || exit 1
field() { sed -n "\$s/.*\"$1\":\([0-9.]*\).*/\1/p" "$2"; }
printf '%-8s %12s %9s' model rows/s peak_MB
torch=no
python3 -c 'import torch' 2>/dev/null && torch=yes && printf ' %14s' torch_rows/s
echo
for model in lr fm ffm deepfm dcnv2 gdcn final; do
    dim=16
    test $model = ffm && dim=4
    best=0
    for try in 1 2 3; do
        "$ctr" --data=data --cache=cache --model=$model --dim=$dim \
            --optimizer=adagrad --lr=0.02 --dropout=0.2 --epochs=2 \
            --early-stop=none --metrics=m.$model || exit 1
        speed=$(sed 's/.*"samples_per_cpu_s":\([0-9.]*\).*/\1/' m.$model |
            sort -n | tail -1)
        test "$speed" -gt "$best" && best=$speed
    done
    printf '%-8s %12s %9s' $model "$best" "$(field peak_mb m.$model)"
    case $torch/$model in
    yes/gdcn | yes/final) printf ' %14s' - ;; # not written there
    yes/*) printf ' %14s' \
        "$(python3 "$here/bench-trainer-torch.py" $model data/split.train.ffm)" ;;
    esac
    echo
done
