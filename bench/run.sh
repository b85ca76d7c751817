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
[ -n "${REA_PAPERS:-}" ] || { [ -d ../shared/papers ] &&
    REA_PAPERS=$(cd ../shared/papers && pwd) && export REA_PAPERS; }
full() { # LONG SHORT: the figure of this form
    [ "$form" = full ] && echo "$1" || echo "$2"
}
python=${REA_PYTHON:-$build/venv/bin/python3}
[ -x "$python" ] || python=python3

papers=${REA_PAPERS:-../shared/papers}/recsys_abstracts.jsonl.gz
if [ -e "$papers" ]; then
    for labels in labels labels-numbers labels-late labels-last; do
        echo "== claims and techniques in abstracts: $labels"
        "$build/bench-claims" --corpus "$papers" \
            --labels "bench/research/$labels.jsonl"
    done
fi

# What recorded trials say: first the predictions, then the search on them.
if [ -n "${REA_REPLAY:-}" ]; then
    trials=$REA_REPLAY/bars_trials.csv.gz
    changes=$REA_REPLAY/bars_hypotheses.csv.gz
    echo "== what other datasets predict: candidates, single changes, pairs"
    "$build/bench-predict" --trials "$trials" --hypotheses "$changes" \
        --squares "$REA_REPLAY/bars_squares.csv.gz"
    papers=${REA_PAPERS:-$REA_REPLAY/../papers}/recsys_abstracts.jsonl.gz
    if [ -d "$REA_REPLAY/leaderboard" ] && [ -e "$papers" ]; then
        for until in 2018 2021 2100; do
            echo "== leaderboards with a family left out, history to $until"
            "$build/bench-research" --corpus "$papers" --until $until \
                --leaderboards "$REA_REPLAY/leaderboard"
        done
    fi
    for mode in search full; do
        echo "== campaigns on recorded trials, $mode"
        "$build/bench-replay" --trials "$trials" --insights-trials "$trials" \
            --insights-hypotheses "$changes" --seeds "$(full 20 3)" --mode $mode
    done
    echo "== the search beside other tuners"
    if [ "$form" = full ]; then
        "$python" test/peers/replay_peers.py --seeds 20 --page docs/peers.md
    else
        "$python" test/peers/replay_peers.py --seeds 2
    fi
    curves=$REA_REPLAY/taskset_nlp.csv.gz
    if [ -e "$curves" ]; then
        echo "== stopping on rungs, beside pruners, on learning curves"
        "$python" test/peers/fidelity_peers.py --curves "$curves" \
            --seeds "$(full 20 2)"
    fi
else
    echo "== recorded trials: left out, no tables (REA_REPLAY)"
fi

# What made-up worlds say, where the truth is known.
echo "== truth of claims"
"$build/test/sim/sim_truth" --lives="$(full 20000 500)"
echo "== truth and power by world, beside a fixed five-seed plan"
"$build/bench-truth" --part=null --lives="$(full 1000 10)"
"$build/bench-truth" --part=coverage --lives="$(full 500 10)"
"$build/bench-truth" --part=power --lives="$(full 200 4)"
echo "== money by value: phases, one pool for several campaigns"
"$build/bench-budget" --lives="$(full 100 5)"
"$build/bench-budget" --portfolio --lives="$(full 100 5)"

# What the literature gives.
abstracts=${REA_PAPERS:-}/recsys_abstracts.jsonl.gz
if [ -e "$abstracts" ]; then
    for words in phrasings phrasings-later; do
        echo "== papers found, $words"
        "$build/bench-papers" --corpus "$abstracts" \
            --phrasings bench/papers/$words.tsv
    done
else
    echo "== papers: left out, no abstracts (REA_PAPERS)"
fi

# What breaks.
echo "== faults of known kinds: resolved, wrong remedies, waste"
sh bench/bench-faults.sh all "$(full 4 1)"

# What it costs.
echo "== a decision, by size of the history"
"$build/bench-decide"
"$python" test/peers/decide_peers.py --full
echo "== a cold wake with nothing to do, status"
"$build/bench-wake"
echo "== campaigns asleep, and one wake beside other systems"
"$build/bench-sleep" --campaigns "$(full 10000 200)" \
    --wakes "$(full 1000 100)" --cycles "$(full 1000 100)"
"$python" test/peers/sleep_peers.py $(full --full "")
echo "== the insights database at scale"
"$build/bench-insights" --rows "$(full 1000000 50000)"
echo "== the trainer, rows a second"
sh bench/bench-trainer.sh
if [ "$form" = full ] && [ -n "${REA_DATA:-}" ]; then
    echo "== the headline: live tasks, sealed gain per core-second"
    "$build/bench-headline" --python="$python" --out="$build/headline.jsonl" &&
        "$build/bench-headline" --report="$build/headline.jsonl"
fi
if [ "$form" = full ] && [ -n "${REA_DATA:-}" ] && [ -e "${REA_PAPERS:-}" ]; then
    echo "== the two sources of ideas, live"
    gzip -dcf "$REA_PAPERS" >"$build/papers.jsonl" &&
        "$build/bench-sources" --papers="$build/papers.jsonl" &&
        "$build/bench-sources" --report="$build/sources.jsonl"
fi
