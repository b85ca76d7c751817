#!/bin/sh
# A scheduler for tests: `queue.sh FOLDER serve` runs what lies in FOLDER, two
# at a time, until FOLDER is gone; the other words are what a user types.
Q=$1
case $2 in
submit) # SCRIPT NAME
    [ ! -e "$Q/closed" ] || { echo "the queue is closed" >&2; exit 3; }
    n=$(cat "$Q/last" 2>/dev/null || echo 100)
    n=$((n + 1))
    echo $n >"$Q/last"
    echo "$3" >"$Q/$n.script"
    echo "$4" >"$Q/$n.name"
    mv "$Q/$n.script" "$Q/$n.job"
    echo "Submitted batch job $n" ;;
state) # ID
    [ ! -e "$Q/mute" ] || { echo "no answer from the controller" >&2; exit 1; }
    if [ -e "$Q/$3.job" ]; then echo PENDING
    elif [ -e "$Q/$3.run" ]; then echo RUNNING
    elif [ -e "$Q/$3.end" ]; then echo COMPLETED
    else echo GONE
    fi ;;
cancel) # ID
    rm -f "$Q/$3.job"
    [ ! -e "$Q/$3.run" ] || kill "$(cat "$Q/$3.run")" ;;
logs) cat "$Q/$3.log" ;;
serve)
    while [ -d "$Q" ]; do
        for run in "$Q"/*.run; do
            [ -e "$run" ] && ! kill -0 "$(cat "$run")" 2>/dev/null &&
                mv "$run" "${run%.run}.end"
        done
        for job in "$Q"/*.job; do
            [ -e "$job" ] && [ ! -e "$Q/hold" ] || continue
            set -- "$Q"/*.run
            [ ! -e "$1" ] || [ $# -lt 2 ] || break
            id=${job%.job}
            script=$(cat "$job")
            sh "$script" >"$id.log" 2>&1 </dev/null &
            echo $! >"$id.tmp"
            mv "$id.tmp" "$id.run"
            rm -f "$job"
        done
        sleep 0.1
    done ;;
esac
