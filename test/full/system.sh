#!/bin/sh
# A hundred million steps of the whole system, on both cores: years of campaigns
# under every kind of trouble, in runs of five million steps, each of which has
# to meet everything. $1: steps, $2: added to the seeds.
build=${BUILD:-$(dirname "$0")/../../build}
runs=$((${1:-100000000} / 5000000)) first=${2:-0}
logs=$(dirname "$0")/../unit/data/signatures/rules.txt
lane() { # FIRST: every second run from this one on
    broken=0
    for k in $(seq "$1" 2 "$runs"); do
        "$build/test/sim/sim_system" --steps=5000000 \
            --seed=$((first + k * 1000003)) --logs="$logs" || broken=1
    done
    return "$broken"
}
lane 1 &
lane 2 || bad=1
wait $! || bad=1
[ -z "${bad:-}" ]
