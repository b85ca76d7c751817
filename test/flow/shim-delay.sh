#!/bin/sh
# A job that waits before it begins: it costs nothing meanwhile, and whoever
# ends it ends the wait.
. test/lib/shim.sh
submit later delay=1500 time=1000 -- sh -c 'echo up; sleep 0.3'
submit unwanted delay=60000 -- sh -c 'echo up'
submit moved delay=60000 -- sh -c 'echo up'
sleep 0.5
for t in later unwanted moved; do
    "$D" "$T/jobs" poll $t | grep -q '^running' || fail "$t is not there"
    [ ! -s "$T/$t/stdout.log" ] || fail "$t did not wait"
done
"$D" "$T/jobs" cancel unwanted || fail "cancel"
kill -USR1 "$(field "$T/jobs/moved" pid)" # meant for a job: no matter here
kill -TERM "$(field "$T/jobs/moved" pid)"
ended unwanted "done cancelled 0 0" 5
[ ! -s "$T/unwanted/stdout.log" ] || fail "it began all the same"
ended moved "done preempted 0 0" 5
[ ! -s "$T/moved/stdout.log" ] || fail "it began all the same"
ended later "done ok 0 0" # its limit of a second did not count the wait
grep -q up "$T/later/stdout.log" || fail "it never began"
within "its duration" "$(field "$T/later/exit.json" duration_ms)" 250 1200
