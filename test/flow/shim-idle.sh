#!/bin/sh
# What waiting costs: private memory of a shim <= 1 MiB, half a MiB more for the
# one with regular expressions; next to no processor time, with all watches on.
. test/lib/shim.sh
idle() { # PROGRAM KIB
    REA_SHIM=$B/$1
    submit "$1" memory=900000000 time=600000 nan=auc spike=auc hang=60000 -- \
        sh -c 'sleep 60 & sleep 60 & wait'
    pid=$(field "$T/jobs/$1" pid)
    sleep "${IDLE_SECONDS:-6}"
    private=$(awk '/^Private/ {n += $2} END {print n}' "/proc/$pid/smaps_rollup")
    dirty=$(awk '/^Private_Dirty/ {n += $2} END {print n}' \
        "/proc/$pid/smaps_rollup")
    ns=$(cut -d' ' -f1 "/proc/$pid/schedstat")
    "$D" "$T/jobs" cancel "$1"
    ended "$1" "done cancelled 0 15"
    echo "$1: $private KiB private, $dirty of them written, $((ns / 1000 * 60 / ${IDLE_SECONDS:-6} / 1000)) ms of processor time a minute"
    within "private memory in KiB" "$private" 1 "$2"
    within "processor time in us" $((ns / 1000)) 0 \
        $((${IDLE_SECONDS:-6} * 5000))
}
idle rea-shim 1024
idle rea-shim-re 1536
