#!/bin/sh
# A run that ran away is begun again from the last checkpoint that good reports
# came after, with half the learning rate; without one it begins anew. What was
# written later is never gone on from, also not when the retry is interrupted. A
# run that was only told to stop goes on from its newest.
. "$(dirname "$0")/lib.sh"
cat >train.sh <<'EOF'
#!/bin/sh
ck=$REA_RUN_DIR/own/ck
mkdir -p "$REA_RUN_DIR/own" # later than the job was submitted
say() { echo "{\"step\": $1, \"auc\": $2}" >>"$REA_METRICS_FILE"; }
save() { echo "$1" >"$ck.tmp" && mv "$ck.tmp" "$ck"; }
same() { # the supervisor has linked this version
    for i in $(seq 200); do
        [ "$1" -ef "$ck" ] && return
        sleep 0.05
    done
    echo "no link $1 to $(cat "$ck")" >&2
    exit 3
}
echo "from $([ -z "$FROM" ] || cat "$FROM"), lr $LR"
case $REA_TRIAL-$REA_ATTEMPT in
T2-1)
    trap 'save bad; exit 1' TERM
    say 1 0.70; save 1; same "$REA_RUN_DIR/own/.ck.next"
    say 2 0.85; same "$REA_RUN_DIR/own/.ck.good"
    save 2; same "$REA_RUN_DIR/own/.ck.next"
    say 3 0.99; same "$REA_RUN_DIR/own/.ck.good"
    save 3
    same "$REA_RUN_DIR/own/.ck.next"
    say 4 NaN
    sleep 20 & wait ;;
T3-1) save bad; say 1 NaN; exit 1 ;;
T3-2) say 1 0.7; exit 85 ;;
T4-1) say 1 0.7; save newest; exit 85 ;;
esac
[ "${REA_TRIAL#T}" -lt 5 ] || sleep 5
say 5 0.7$(printf %.2s "$SEED")
EOF
cat >rea.toml <<'EOF'
schema = 1
[project]
name = "good"
[train]
command = "env {knobs} {resume} sh train.sh"
style = "env"
seed = "SEED"
checkpoint = "{run_dir}/own/ck"
resume = "FROM={checkpoint}"
exit_codes = { 85 = "preempted", 1 = "diverged" }
[metric.auc]
primary = true
goal = "max"
min_gain = 1e-3
from = "jsonl"
key = "auc"
reduce = "best"
[knob.lr]
type = "float"
range = [0.1, 1.0]
default = 0.8
[baseline]
seeds = 4
[budget]
unit = "trials"
total = 14
max_parallel = 2
EOF
sign
want 0 "$rea" run C1
i=0
until [ -e .rea/runs/C1/T6 ]; do
    i=$((i + 1))
    [ $i -lt 200 ] || fail "$("$rea" log --all C1; cat .rea/runs/C1/*/*/*.log)"
    sleep 0.2
done
"$rea" -q stop C1 2>/dev/null # unless it has ended
runs=.rea/runs/C1
said() { # RUN WORDS
    [ "$(cat $runs/"$1"/stdout.log)" = "$2" ] || fail "$1: $(cat $runs/"$1"/*.log)"
}
said T2/a2 "from 2, lr 0.4"
[ "$(cat $runs/T2/a1/own/ck)" = bad ] || fail "the last checkpoint: $(cat $runs/T2/a1/own/ck)"
jq -e '.resume and .good_attempt == 1' $runs/T2/a2/spec.json >/dev/null ||
    fail "spec: $(cat $runs/T2/a2/spec.json)"
"$rea" log C1 --all >log.txt
grep -q 'T2 training, attempt 2, from its last good checkpoint' log.txt ||
    fail "log: $(grep T2 log.txt)"
said T3/a2 "from , lr 0.4"
said T3/a3 "from , lr 0.4"
said T4/a2 "from newest, lr 0.8"
[ ! -e $runs/T2/a2/own/.ck.good ] && [ ! -e $runs/T2/a2/good.json ] ||
    fail "what is of no more use stays"
# what was measured after the checkpoint is no part of the run; an attempt that
# goes on costs nothing more
want 0 "$rea" report --json
jq -e '[.trials[] | {(.id): [.cost, .metrics.auc]}] | add |
    .T2 == [1, 0.85] and .T3[0] == 2 and .T4[0] == 1' out >/dev/null ||
    fail "costs: $(jq -c .trials out)"
want 0 "$rea" replay C1
exit 0
