#!/bin/sh
# Through the sandbox a job is stopped in order, resumes from its checkpoint,
# tells of its rungs, is evaluated on what it left, and measures to the last bit
# what it measures outside.
. "$(dirname "$0")/patched.sh"
patch_workspace ws
export REA_SEED=13
cat >train.sh <<'SH'
#!/bin/sh
# train.sh METRICS SEED EPOCHS CHECKPOINT LR [resume]: an epoch takes a moment
set -eu
from=1
[ "${6:-}" != resume ] || from=$(($(cat "$4") + 1))
trap 'echo $((i - 1)) >"$4"; echo saved; exit 85' TERM
i=$from
while [ "$i" -le "$3" ]; do
    sleep 0.4
    awk -v seed="$2" -v i="$i" -v lr="$5" 'BEGIN { srand(seed); rand()
        e = rand() + (lr < 0.01 ? 10 : 0)
        printf "{\"step\": %d, \"auc\": %.12f, \"from\": '"$from"'}\n", i,
            0.70 + 0.001 * i + 0.001 * e }' >>"$1"
    i=$((i + 1))
done
echo $((i - 1)) >"$4"
SH
cat >evaluate.sh <<'SH'
#!/bin/sh
[ "$(cat "$2")" = 4 ] || exit 9
echo '{"step": 1, "test": 0.71'"$3"'}' >>"$1"
SH
sed -i 's|^command = .*|command = "sh train.sh {metrics_file} {seed} {knob.epochs} {checkpoint} {knob.lr} {resume}"\nresume = "resume"\ncheckpoint = "{run_dir}/last"\nexit_codes = { 85 = "preempted" }|
    s|^smoke = .*|smoke = "sh train.sh {metrics_file} {seed} 1 {checkpoint} {knob.lr}"|
    s|^unit = .*|unit = "core_hours"|; s|^total = .*|total = 0.06|; s|^time = .*|time = "20s"|; s|^seeds = .*|seeds = 2|
    s|^max_hypotheses = .*|max_hypotheses = 1\nphases = ["validation", "confirmation"]|' rea.toml
cat >>rea.toml <<'TOML'
[evaluate]
command = "sh evaluate.sh {metrics_file} {checkpoint} {seed}"
[knob.epochs]
type = "int"
range = [1, 4]
default = 4
[fidelity]
knob = "epochs"
rungs = [1, 2, 4]
TOML
git add -A && git commit -qm slow
sign
want 0 "$rea" run C1
shim=
i=0
until [ -s .rea/runs/C1/T1/a1/work/metrics.jsonl ]; do
    i=$((i + 1))
    [ $i -lt 100 ] || fail "T1 does not run: $(cat .rea/runs/C1/T1/a1/*.log)"
    sleep 0.05
done
shim=$(jq -r '.pid // .shim_pid // empty' .rea/runs/C1/T1/a1/shim.json)
[ -n "$shim" ] || fail "no shim: $(cat .rea/runs/C1/T1/a1/shim.json)"
kill -TERM "$shim" # the machine is taken away
"$rea" run --wait -q >out 2>err || :
a1=.rea/runs/C1/T1/a1
a2=.rea/runs/C1/T1/a2
[ "$(jq -r .reason $a1/exit.json)" = preempted ] || fail "$(cat $a1/exit.json)"
grep -q saved $a1/stdout.log || fail "it could not save: $(cat $a1/*.log)"
[ -s $a2/work/metrics.jsonl ] || fail "no second attempt: $("$rea" log --all)"
grep -q '"from": 1}' $a2/work/metrics.jsonl && fail "it began again"
grep -q '"step": 4' $a2/work/metrics.jsonl || fail "it did not end"
"$rea" log --all | grep -q "crossed rung" ||
    fail "no rung was told: $("$rea" log --all)"
until_state done
"$rea" report --json C1 | jq -e '.trials[0].state == "ok" and
    .trials[0].attempts == 2 and .trials[0].sandbox == "bwrap"' >/dev/null ||
    fail "$("$rea" report --json C1 | jq '.trials[0]')"
# what it left is evaluated in the same box
done=$(grep -l '"kind": "evaluation"' .rea/runs/C1/T*/a*/spec.json | head -n 1)
[ -n "$done" ] || fail "nothing was evaluated: $("$rea" log --all)"
[ "$(jq -r .reason "$(dirname "$done")/exit.json")" = ok ] ||
    fail "evaluation: $(cat "$(dirname "$done")"/*.log)"
# the same seed outside the sandbox: the same bytes
seed=$(jq -r .seed .rea/runs/C1/T2/a1/spec.json)
sh train.sh m.jsonl "$seed" 4 ck 0.02 || fail "plain run"
cmp m.jsonl .rea/runs/C1/T2/a1/work/metrics.jsonl || fail "the sandbox changes it"
exit 0
