#!/bin/sh
# Every figure of the README comes from here: `make bench` (minutes) and
# `make bench-full`. Quote medians; machines are noisy.
set -u
build=${1:-build}
form=${2:-}
case "$build" in /*) ;; *) build=$PWD/$build ;; esac
export BUILD="$build"
[ -n "${REA_REPLAY:-}" ] || { [ -d ../shared/replay ] &&
    REA_REPLAY=$(cd ../shared/replay && pwd) && export REA_REPLAY; }
echo "== a decision, by size of the history"
"$build/bench-decide"
echo "== a cold wake with nothing to do, status"
"$build/bench-wake"
echo "== the trainer, rows a second"
sh bench/bench-trainer.sh
echo "== truth of claims"
"$build/test/sim/sim_truth" --lives=$([ "$form" = full ] && echo 20000 || echo 500)
if [ -n "${REA_REPLAY:-}" ]; then
    echo "== search on recorded trials, against random"
    seeds=$([ "$form" = full ] && echo 20 || echo 3)
    python=$build/venv/bin/python3
    [ -x "$python" ] || python=python3
    "$python" test/peers/replay_peers.py --seeds "$seeds" --methods \
        rea,tpe-top5,tpe-mv-top5,rea-cold,tpe,tpe-mv,random
fi
