#!/bin/sh
# A watched metric that is not finite, or jumps, ends the job early.
. test/lib/shim.sh
feed='import json, os, sys, time
m = open(sys.argv[1], "a")
for i, v in enumerate(sys.argv[2].split(",")):
    m.write("{\"step\": %d, \"auc\": %s}\n" % (i, v))
    m.flush()
time.sleep(float(sys.argv[3]))'
flat=0.7,0.71,0.70,0.71,0.7,0.72,0.71,0.7,0.71,0.72,0.71,0.70
submit nan nan=auc -- python3 -c "$feed" "$T/nan/metrics.jsonl" 0.7,NaN 30
submit inf nan=auc -- python3 -c "$feed" "$T/inf/metrics.jsonl" 0.7,-Infinity 30
submit jump spike=auc -- python3 -c "$feed" "$T/jump/metrics.jsonl" $flat,0.2,0.2,0.2 30
submit once spike=auc -- python3 -c "$feed" "$T/once/metrics.jsonl" $flat,0.2,0.71 1
# held against the baseline: its first report was 0.7
submit lost nan=auc floor=0.69 -- \
    python3 -c "$feed" "$T/lost/metrics.jsonl" $flat,0.6,0.6,0.6 30
submit late nan=auc floor=0.69 -- \
    python3 -c "$feed" "$T/late/metrics.jsonl" 0.5,0.5,0.5,0.5,0.6,0.7,0.71 1
submit good nan=auc spike=auc -- \
    python3 -c "$feed" "$T/good/metrics.jsonl" $flat 2
submit unseen -- python3 -c "$feed" "$T/unseen/metrics.jsonl" 0.7,NaN 1
ended nan "done nan 0 15"
ended inf "done nan 0 15"
ended jump "done spike 0 15"
within "time to see it" "$ms" 0 5000
ended good "done ok 0 0"
ended once "done ok 0 0"
ended lost "done diverged 0 15"
field "$T/lost/exit.json" detail | grep -q "3 reports in a row worse" || fail detail
ended late "done ok 0 0"
ended unseen "done ok 0 0"
