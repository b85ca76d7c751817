#!/bin/sh
# A rung that is crossed is reported and wakes while the job goes on; what the
# wake starts is no part of the job: it is neither waited for nor ended with it.
. test/lib/shim.sh
feed='import sys, time
for i in range(1, 5):
    open(sys.argv[1], "a").write("{\"step\": %d, \"auc\": 0.7}\n" % i)
    time.sleep(1.2)'
cat >"$T/wake.sh" <<EOF
#!/bin/sh
[ -e $T/r/exit.json ] && echo ended >>$T/woke || echo runs >>$T/woke
[ -e $T/late.pid ] || { sleep 60 & echo \$! >$T/late.pid; }
EOF
chmod +x "$T/wake.sh"
submit r rungs=1,2,4 "wake=$T/wake.sh" -- python3 -c "$feed" "$T/r/metrics.jsonl"
ended r "done ok 0 0"
within "time of the job" "$ms" 4000 9000
sleep 1
[ "$(field "$T/r/report.json" rungs)" = 2 ] || fail "$(cat "$T/r/report.json")"
[ "$(field "$T/r/report.json" token)" = r ] || fail "whose report is it?"
[ "$(grep -c runs "$T/woke")" = 2 ] || fail "woke: $(cat "$T/woke")"
[ "$(grep -c ended "$T/woke")" = 1 ] || fail "no wake at the end"
late=$(cat "$T/late.pid")
alive "$late" || fail "the job's end killed what a wake had started"
kill "$late"
# Without rungs nothing is reported.
submit plain nan=auc "wake=$T/wake.sh" -- \
    python3 -c "$feed" "$T/plain/metrics.jsonl"
ended plain "done ok 0 0"
[ ! -e "$T/plain/report.json" ] || fail "reported without rungs"
