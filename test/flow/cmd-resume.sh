#!/bin/sh
# A resumed attempt goes on with what the earlier ones measured: the best step
# may lie before the interruption, and nothing may be left to do after it.
. "$(dirname "$0")/lib.sh"
cat >train.sh <<'EOF'
#!/bin/sh
v=0.7$(printf %.2s "$SEED")
if [ -n "$FROM" ]; then
    [ "$REA_TRIAL" = T2 ] || echo '{"step": 2, "auc": 0.5}' >>"$REA_METRICS_FILE"
    exit 0
fi
echo "{\"step\": 1, \"auc\": $v}" >>"$REA_METRICS_FILE"
: >"$REA_RUN_DIR/ck"
exit 85
EOF
cat >rea.toml <<'EOF'
schema = 1
[project]
name = "cut"
[train]
command = "env {knobs} {resume} sh train.sh"
style = "env"
seed = "SEED"
checkpoint = "{run_dir}/ck"
resume = "FROM={checkpoint}"
exit_codes = { 85 = "preempted" }
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
default = 0.5
[budget]
unit = "trials"
total = 20
max_parallel = 2
EOF
sign
want 0 "$rea" run C1
for i in $(seq 100); do
    [ "$("$rea" --json status | jq '.campaigns[0].trials.ok')" -lt 3 ] || break
    sleep 0.1
done
"$rea" -q stop C1 2>/dev/null # unless it has ended
want 0 "$rea" report --json
jq -e '[.trials[] | select(.state == "ok")] | length >= 3 and
    all(.[]; .attempts == 2 and .metrics.auc >= 0.7)' out >/dev/null ||
    fail "metrics before the interruption are lost: $(jq -c .trials out)"
exit 0
