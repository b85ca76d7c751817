#!/bin/sh
# Two days of a campaign in minutes: the real program on the recorded backend,
# its clock set to the next end of a job; wakes and sweeps are killed at random
# system calls, callbacks come twice, or not at all and a sweep stands in. Log
# and proposal are those of the same days undisturbed. $1: hours (48), $2: seed.
. "$(dirname "$0")/../flow/lib.sh"
hours=${1:-48} seed=${2:-${SEED:-1}}
export REA_SHIM="$build/rea-shim" REA_SEED="$seed" REA_CLOCK="$dir/clock"
minutes=40 at_once=4

world_make() {
    mkdir -p "$1" && cd "$1" || exit 1
    cat >rea.toml <<E
schema = 1
[project]
name = "days"
[train]
command = "train {knobs} --out={metrics_file}"
seed = "seed"
[resources]
time = "3h"
[metric.auc]
primary = true
goal = "max"
min_gain = 1e-3
from = "jsonl"
key = "auc"
[metric.test]
role = "sealed"
goal = "max"
from = "jsonl"
key = "test"
[knob.lr]
type = "float"
range = [1e-4, 1.0]
scale = "log"
default = 1e-2
[knob.dropout]
type = "float"
range = [0.0, 0.6]
default = 0.0
[knob.dim]
type = "int"
range = [2, 64]
default = 8
[budget]
unit = "trials"
total = $((hours * 60 * at_once / minutes))
max_parallel = $at_once
[backend]
kind = "recorded"
record = "world.jsonl"
E
    cat >world.jsonl <<E
{"world": {"duration_ms": $((minutes * 60000)), "jitter": 0.6, "steps": 2, "metrics": {"auc": {"base": 0.7, "sd": 0.0006}, "test": {"base": 0.69, "sd": 0.0006}}, "effects": [{"knob": "lr", "value": 0.05, "gain": 0.004}, {"knob": "dropout", "value": 0.2, "gain": 0.003}], "failures": [{"reason": "exit", "exit_code": 1, "rate": 0.05}, {"reason": "preempted", "rate": 0.08}, {"reason": "oom", "rate": 0.03}, {"reason": "node-fail", "rate": 0.03}]}}
E
    echo 1790000000000 >"$REA_CLOCK"
    sign
    want 0 "$rea" run C1
}

draws=$dir/draws at=0 # whole numbers, drawn once: the same for a seed
awk -v seed="$seed" 'BEGIN { srand(seed)
    for (i = 0; i < 40000; i++) print int(rand() * 1000000) }' >"$draws"
exec 7<"$draws"
draw() { read -r drawn <&7 || fail "more draws are needed"; drawn=$((drawn % $1)); }

killed=0 ran=0
# One life of the program, killed at a random system call every second time.
life() {
    draw 2
    if [ "$quiet" = 1 ] || [ "$drawn" = 0 ]; then
        "$rea" "$@" >life.out 2>&1 </dev/null
        ran=$((ran + 1))
        return 0
    fi
    draw 400 # a wake with news makes some 350 calls
    "$build/test/kill_at" $((drawn + 1)) "$rea" "$@" >life.out 2>&1 </dev/null
    case $? in
    0) killed=$((killed + 1)); return 1 ;;
    *) ran=$((ran + 1)); return 0 ;;
    esac
}
# A callback, or what stands in for one that got lost; again until one lived.
settle() {
    draw 4
    if [ "$quiet" = 1 ] || [ "$drawn" != 0 ]; then set -- wake C1; else set -- sweep; fi
    until life "$@"; do :; done
    draw 5
    [ "$quiet" = 1 ] || [ "$drawn" != 0 ] || life wake C1
}

days() { # FOLDER QUIET: to the end of the campaign
    quiet=$2
    world_make "$dir/$1"
    steps=0
    while "$build/test/recorded_next" .rea/jobs >ends; do
        settle
        steps=$((steps + 1))
        [ $steps -lt 5000 ] || fail "no end after $steps ends of jobs"
    done
    quiet=1 settle
    [ "$(state)" = "done" ] || fail "$1 ended as $(state): $("$rea" status)"
    passed=$((($(cat "$REA_CLOCK") - 1790000000000) / 3600000))
    "$rea" --json log C1 --all >"$dir/$1.log" || fail "log of $1"
    "$rea" --json report C1 | jq '{verdict, proposal, finalists, hypotheses,
        combinations, trials, failures}' >"$dir/$1.report"
    want 0 "$rea" replay C1
}

days calm 1
[ -z "${DAYS_LOG:-}" ] || cp "$dir/calm.log" "$DAYS_LOG"
calm_hours=$passed calm_ran=$ran
exec 7<"$draws"
ran=0
days wild 0
[ -s "$dir/calm.log" ] || fail "the undisturbed days left no log"
cmp -s "$dir/calm.log" "$dir/wild.log" ||
    fail "another log: $(diff "$dir/calm.log" "$dir/wild.log" | head -c 1500)"
cmp -s "$dir/calm.report" "$dir/wild.report" ||
    fail "another report: $(diff "$dir/calm.report" "$dir/wild.report" |
        head -c 1500)"
[ "$killed" -ge $((steps / 2)) ] || fail "only $killed kills over $steps ends"
[ "$passed" -ge $((hours / 3)) ] || fail "only $passed hours passed"
echo "$passed simulated hours ($calm_hours undisturbed), $steps ends of jobs," \
    "$ran lives and $killed killed ($calm_ran undisturbed);" \
    "$(jq -r '.proposal.sealed | "sealed gain \(.gain)"' "$dir/wild.report")"
exit 0
