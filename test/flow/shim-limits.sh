#!/bin/sh
# Time, paid time, memory of the whole tree, and the disk.
. test/lib/shim.sh
eat='import sys, time; x = bytearray(int(sys.argv[1]) << 20); time.sleep(30)'
submit time time=700 grace=3000 -- sleep 60
submit deaf time=500 grace=600 -- sh -c 'trap "" TERM; while :; do sleep 0.1; done'
submit paid time=60000 budget=600 -- sleep 60
submit one memory=80000000 -- python3 -c "$eat" 150
submit two memory=150000000 -- sh -c \
    "python3 -c '$eat' 90 & python3 -c '$eat' 90 & wait"
submit fits memory=300000000 -- python3 -c "$(echo "$eat" | sed s/30/1/)" 50
submit disk disk=9000000000000000 -- sleep 60
ended time "done timeout 0 15"
within "time of the limit" "$ms" 650 2500
ended deaf "done timeout 0 9"
within "time with grace" "$ms" 1050 3500
ended paid "done budget 0 15"
ended one "done oom 0 9"
ended two "done oom 0 9"
ended fits "done ok 0 0"
within "highest memory" "$(field "$T/fits/exit.json" max_rss_bytes)" \
    50000000 120000000
ended disk "done disk-full 0 15"
