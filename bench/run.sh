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
if [ -z "${REA_REPLAY:-}" ]; then
    echo "== search on recorded trials: left out, no tables (REA_REPLAY)"
    exit 0
fi
echo "== search on recorded trials, predictions from other families"
trials=$REA_REPLAY/bars_trials.csv.gz
changes=$REA_REPLAY/bars_hypotheses.csv.gz
seeds=$([ "$form" = full ] && echo 20 || echo 3)
for mode in search full; do
    echo "-- $mode, $seeds seeds"
    "$build/bench-replay" --trials "$trials" --insights-trials "$trials" \
        --insights-hypotheses "$changes" --seeds "$seeds" --mode $mode
done
echo "== the same beside other tuners"
python=${REA_PYTHON:-$build/venv/bin/python3}
[ -x "$python" ] || python=python3
if [ "$form" = full ]; then
    "$python" test/peers/replay_peers.py --seeds 20 --page docs/peers.md
else
    "$python" test/peers/replay_peers.py --seeds 2 --all-seeds
fi
