#!/bin/sh
# Metrics that regular expressions read are watched while the job runs: NaN, a
# jump, the baseline's curve, rungs. Only such jobs have the larger supervisor;
# where it is not installed they are read at their end.
. "$(dirname "$0")/lib.sh"
export REA_SEED=3
mkdir bin && cp "$rea" "$build/rea-shim" "$build/rea-shim-re" bin && rea=$dir/bin/rea
shell_model ws && cd ws || exit 1
cat >train.sh <<'E2'
say() { echo "epoch $1: valid auc = $2, loss = $3"; }
readlink "/proc/$PPID/exe" >&2
n=$(printf %02d $((SEED % 100)))
for i in 1 2 3 4 5; do say $i 0.7$i"$n" 0.4; done
case $REA_TRIAL-$REA_ATTEMPT in
T1-1) say 6 nan 0.4; sleep 20 ;;
T2-1)
    for i in 6 7 8 9 10 11 12; do say $i 0.75"$n" 0.4$((i % 2)); done
    for i in 13 14 15; do say $i 0.75"$n" 9; done
    sleep 20 ;;
T6-1) for i in 6 7 8 9; do say $i 0.6 0.4; done; sleep 20 ;;
esac
echo "test auc = 0.75"
E2
sed -i 's/^total = .*/total = 20/; s/^seeds = 5/seeds = 5/; s/^max_parallel = .*/max_parallel = 1/
    s/^pattern = "epoch {step}: valid.*/pattern = '"'re:epoch (?<step>\\\\d+): valid auc = (?<value>[^,]+),'"'/
    s/^pattern = "loss.*/pattern = '"'re:loss = (?<value>[0-9.]+)'"'\nwatch = { spike = 5.0 }/' rea.toml
cp rea.toml ../re.toml
sign
want 0 "$rea" run C1 --wait
why() { # RUN REASON WORDS: ended early for it
    x=.rea/runs/C1/$1/a1/exit.json
    [ "$(jq -r .reason "$x")" = "$2" ] && jq -r .detail "$x" | grep -q "$3" &&
        [ "$(jq .duration_ms "$x")" -lt 10000 ] || fail "$1: $(cat "$x")"
}
why T1 nan 'not finite at step 6'
why T2 spike 'jumped to 9'
why T6 diverged '3 reports in a row'
grep -q '/rea-shim-re$' .rea/runs/C1/T3/a1/stderr.log ||
    fail "its supervisor: $(cat .rea/runs/C1/T3/a1/stderr.log)"
"$rea" log C1 --all | grep -q 'T1 runbook: a metric is not finite -> stabilise' ||
    fail "remedy: $("$rea" log C1 --all | grep T1)"

# without expressions: the small one
mkdir ../plain && cp train.sh "$top/examples/shell/rea.toml" ../plain && cd ../plain || exit 1
sed -i 's/^total = .*/total = 12/; s/^seeds = 5/seeds = 4/' rea.toml
sign
want 0 "$rea" run C1
until [ -s .rea/runs/C1/T1/a1/stderr.log ]; do sleep 0.1; done
grep -q '/rea-shim$' .rea/runs/C1/T1/a1/stderr.log || fail "not the small one"
want 0 "$rea" stop C1

# not installed: told at the end
mkdir ../checked && cp "$top/examples/shell/train.sh" ../checked && cp ../re.toml ../checked/rea.toml
cd ../checked && want 0 "$rea" check
says_not 'seen when a job has ended'
rm ../bin/rea-shim-re
want 0 "$rea" check
says 'seen when a job has ended'
mkdir ../late && cp ../ws/train.sh ../late && cp ../re.toml ../late/rea.toml && cd ../late || exit 1
sed -i 's/sleep 20/exit 0/' train.sh
sign
want 0 "$rea" run C1
until [ -e .rea/runs/C1/T2 ]; do sleep 0.1; done
"$rea" log C1 --all | grep -q 'J1 of T1 ended: nan' ||
    fail "T1: $("$rea" log C1 --all | grep T1)"
want 0 "$rea" stop C1
until [ -z "$(ls -A .rea/jobs)$(ls -A ../plain/.rea/jobs)" ]; do sleep 0.1; done
exit 0
