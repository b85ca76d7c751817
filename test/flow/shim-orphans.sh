#!/bin/sh
# Children that leave the process group and the session belong to the job all
# the same: when exit.json is there, none of them is left.
. test/lib/shim.sh
submit daemon grace=300 -- python3 -c '
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
time.sleep(0.5)'
submit many grace=300 -- sh -c \
    'i=0; while [ $i -lt 20 ]; do setsid sleep 60 & i=$((i + 1)); done; exit 4'
ended daemon "done ok 0 0"
pid=$(cat "$T/daemon/stdout.log")
[ -n "$pid" ] || fail "the daemon did not start"
alive "$pid" && fail "the daemon outlived its job"
within "time with the daemon" "$ms" 750 5000
ended many "done exit 4 0"
# Zombies of a parent that does not wait would keep the shim waiting.
submit zombies -- python3 -c '
import os, time
for i in range(50):
    if os.fork() == 0: os._exit(0)
time.sleep(0.2)'
ended zombies "done ok 0 0"
