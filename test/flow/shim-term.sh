#!/bin/sh
# Cancelling: SIGTERM, grace, SIGKILL. A foreign SIGTERM is a preemption.
. test/lib/shim.sh
submit polite grace=5000 -- sh -c \
    'trap "echo saved; exit 0" TERM; echo up; while :; do sleep 0.05; done'
submit deaf grace=400 -- sh -c 'trap "" TERM; echo up; while :; do sleep 0.05; done'
submit moved grace=5000 -- sh -c 'echo up; exec sleep 60'
for t in polite deaf moved; do
    while ! grep -q up "$T/$t/stdout.log"; do sleep 0.02; done
done
"$D" "$T/jobs" poll polite | grep -q '^running' || fail "it does not run"
"$D" "$T/jobs" cancel polite || fail "cancel"
"$D" "$T/jobs" cancel polite || fail "cancel once more"
"$D" "$T/jobs" cancel deaf || fail "cancel"
kill -TERM "$(field "$T/jobs/moved" pid)"
ended polite "done cancelled 0 0"
grep -q saved "$T/polite/stdout.log" || fail "no time to save"
ended deaf "done cancelled 0 9"
ended moved "done preempted 0 15"
"$D" "$T/jobs" cancel polite || fail "cancel of an ended job"
