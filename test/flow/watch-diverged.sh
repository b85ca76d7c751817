#!/bin/sh
# A run that loses what it had learnt is held against the baseline's curve and
# ended early; its reservation is free again and the learning rate is halved. The
# cache of the curve may go, and a project may turn the watch off.
. "$(dirname "$0")/lib.sh"
export REA_SEED=3
told() { cat "$@" | tr '\0' '\n' | grep -q '^floor='; }
shell_model ws && cd ws || exit 1
cat >train.sh <<'E2'
say() { echo "epoch $1: valid auc = $2, loss = 0.4"; }
n=$((SEED % 100))
for i in 1 2 3 4 5; do say $i 0.7$i"$(printf %02d $n)"; done
if [ "$REA_TRIAL-$REA_ATTEMPT" = T4-1 ]; then
    for i in 6 7 8 9; do say $i 0.6; done
    sleep 20
fi
echo "test auc = 0.75"
E2
sed -i 's/^total = .*/total = 14/; s/^seeds = 5/seeds = 3/; s/^max_parallel = .*/max_parallel = 1/' rea.toml
sed 's/^\[metric.valid_auc\]/&\nwatch = { curve = false }/' rea.toml >off.toml
sign
want 0 "$rea" run C1 --wait
"$rea" log C1 --all >log.txt
grep -q 'T4 runbook: the loss diverged -> stabilise: half the learning rate' log.txt ||
    fail "remedy: $(grep T4 log.txt)"
grep -q '3 reports in a row worse than the baseline' .rea/runs/C1/T4/a1/exit.json ||
    fail "why: $(cat .rea/runs/C1/T4/a1/exit.json)"
[ "$(jq .duration_ms .rea/runs/C1/T4/a1/exit.json)" -lt 10000 ] || fail "not early"
"$rea" --json status | jq -e '.campaigns[0].budget | .reserved == 0 and
    .spent <= .approved' >/dev/null || fail "budget: $("$rea" --json status)"
grep -q '^3 1 0\.7' .rea/runs/C1/baseline.floor || fail "floor: $(cat .rea/runs/C1/*.floor)"
told .rea/runs/C1/T4/a1/shim.cmd || fail "the job was told nothing"
told .rea/runs/C1/T2/a1/shim.cmd && fail "a baseline of one run tells"
want 0 "$rea" replay C1

mkdir ../off && cp train.sh ../off && cp off.toml ../off/rea.toml && cd ../off || exit 1
sed -i 's/sleep 20/sleep 0/' train.sh
sign
want 0 "$rea" run C1 --wait
told .rea/runs/C1/*/a1/shim.cmd && fail "it is off"
"$rea" log C1 --all | grep -q diverged && fail "it is off, and told"
exit 0
