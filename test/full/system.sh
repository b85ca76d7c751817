#!/bin/sh
# A hundred million steps of the whole system, on both cores: years of campaigns
# under every kind of trouble. $1: steps, $2: the first seed.
build=${BUILD:-$(dirname "$0")/../../build}
steps=${1:-100000000} seed=${2:-1}
logs=$(dirname "$0")/../unit/data/signatures/rules.txt
sim() { # FIRST SEED
    "$build/test/sim/sim_system" --steps=$((steps / 2)) --seed="$1" \
        --logs="$logs"
}
sim "$seed" &
sim $((seed + 50000000)) || bad=1
wait $! || bad=1
[ -z "${bad:-}" ]
