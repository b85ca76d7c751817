#!/bin/sh
# A supervisor that is killed loses the exit status and nothing else: a poll
# ends what is left of the job and says so, every time the same. After a
# restart of the machine the reason is node-fail.
. test/lib/shim.sh
submit lost -- python3 -c '
import os, time
if os.fork() == 0:
    os.setsid()
    open("'"$T"'/left", "w").write(str(os.getpid()))
    time.sleep(60)
time.sleep(60)'
submit boot -- sleep 60
submit near -- sh -c 'echo up; exec sleep 60'
while [ ! -s "$T/left" ]; do sleep 0.02; done
alive "$(cat "$T/left")" || fail "the grandchild is not there"
"$D" "$T/jobs" kill-shim lost || fail "kill"
ended lost "done unknown 0 0"
alive "$(cat "$T/left")" && fail "a process was left"
cp "$T/lost/exit.json" "$T/first"
ended lost "done unknown 0 0"
cmp -s "$T/first" "$T/lost/exit.json" || fail "the second answer differs"
"$D" "$T/jobs" poll near | grep -q '^running' || fail "a neighbour suffered"
"$D" "$T/jobs" cancel near
ended near "done cancelled 0 15"
pid=$(field "$T/jobs/boot" pid)
sed -i 's/"boot_id": "[^"]*"/"boot_id": "another"/' "$T/jobs/boot"
ended boot "done node-fail 0 0"
kill "$pid" # it lives, but in this story the machine was restarted
# A process id that is used again is not taken for the shim.
submit reused -- sleep 60
kill -9 "$(field "$T/jobs/reused" pid)"
sed -i "s/\"pid\": [0-9]*/\"pid\": $$/" "$T/jobs/reused"
ended reused "done unknown 0 0"
