#!/bin/sh
# Runs of a search are stopped on rungs that prove reliable: by the wake that
# the running job's own supervisor calls, for a part of the cost, and told
# plainly. The best of the search was run to its end.
. "$(dirname "$0")/lib.sh"
cat >train.sh <<'EOF'
#!/bin/sh
i=1
while [ $i -le 8 ]; do
    awk -v i=$i -v x="$2" 'BEGIN { q = 1 - 4 * (x - .6) ^ 2
        printf "{\"step\": %d, \"auc\": %.6f}\n", i,
            .5 + .3 * q * (1 - exp(-i / 3)) }' >>"$1"
    sleep 0.5
    i=$((i + 1))
done
EOF
cat >rea.toml <<'EOF'
schema = 1
[project]
name = "rungs"
[train]
command = "sh train.sh {metrics_file} {knob.x} {seed} {knob.epochs}"
seed = "seed"
grace = "1s"
[resources]
time = "30s"
[metric.auc]
primary = true
min_gain = 1e-3
goal = "max"
from = "jsonl"
key = "auc"
[knob.x]
type = "float"
range = [0.0, 1.0]
default = 0.1
[knob.epochs]
type = "int"
range = [1, 8]
default = 8
[fidelity]
knob = "epochs"
rungs = [2, 4, 8]
[plan]
phases = ["exploitation"]
[budget]
unit = "core_hours"
total = 0.022
max_parallel = 2
EOF
sign
want 0 timeout 110 "$rea" run --wait -q
[ "$(state)" = done ] || fail "$(state)"
"$rea" --json report >r.json
jq -e '[.trials[] | select(.state == "stopped")] | length >= 2' r.json \
    >/dev/null || fail "nothing was stopped: $("$rea" log C1 --all)"
# A stopped run costs less than a whole one.
jq -e '([.trials[] | select(.state == "stopped").cost] | add / length) <
    .7 * ([.trials[] | select(.state == "ok").cost] | add / length)' r.json \
    >/dev/null || fail "stopping saves nothing: $(jq -c .trials r.json)"
stopped=$(jq -r '[.trials[] | select(.state == "stopped")][0].id' r.json)
want 0 "$rea" why "$stopped"
says 'stopped on rung [12] of 3'; says 'reliability'; says 'search only'
best=$("$rea" --json status | jq -r '.campaigns[0].best.experiment')
jq -e --arg e "$best" '[.trials[] | select(.experiment == $e and
    .state == "ok")] | length >= 1' r.json >/dev/null ||
    fail "$best was never run to its end"
want 0 "$rea" replay C1; says PASS
