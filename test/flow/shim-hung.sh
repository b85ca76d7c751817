#!/bin/sh
# Silence is a hang: SIGUSR1 so that it can show where it stands, SIGTERM,
# SIGKILL. Growth of output, metrics or checkpoint is a sign of life.
. test/lib/shim.sh
submit mute hang=1500 grace=500 -- python3 -c '
import faulthandler, signal, time
faulthandler.register(signal.SIGUSR1)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(60)'
submit talks hang=1500 -- sh -c \
    'for i in 1 2 3 4 5 6 7 8; do sleep 0.5; echo $i; done'
submit saves hang=1500 checkpoint="$T/ckpt" -- sh -c \
    "for i in 1 2 3 4 5 6 7 8; do sleep 0.5; echo x >'$T/ckpt'; done"
ended mute "done hung 0 9"
within "time to be called hung" "$ms" 2500 9000
grep -q 'most recent call first' "$T/mute/stderr.log" || fail "no dump"
ended talks "done ok 0 0"
ended saves "done ok 0 0"
