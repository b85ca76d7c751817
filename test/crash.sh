#!/bin/sh
# The sweeps of crashes alone, sampled by SEED: kills, failing calls, cuts of
# the power, crashes while recovering, and the controls that must be caught.
# Two at a time. `make check` runs more of them, `make check-full` all.
BUILD=${1:-build}
case "$BUILD" in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
seed=${SEED:-1}
REA_SHIM=$BUILD/rea-shim
LOG=$BUILD/log/crash
export BUILD REA_SHIM LOG
rm -rf "$LOG"
mkdir -p "$LOG"
xargs -P 2 -I{} sh -c '
    set -- {}
    name=$1 program=$2
    shift 2
    if "$BUILD/test/$program" "$@" >"$LOG/$name" 2>&1; then
        echo "ok   $name: $(tail -n 1 "$LOG/$name")"
    else
        echo "FAIL $name"
        tail -n 10 "$LOG/$name"
        touch "$LOG/failed"
    fi' <<END
power crash_disk --power=1000 --seed=$seed
kill crash_wakes --stride=15
kill-random crash_wakes --random=40 --seed=$seed
power-pairs crash_disk --pairs=200 --seed=$seed
io crash_disk --io=9 --seed=$seed
kill-pool crash_wakes --pool --stride=40
control-kill crash_wakes --control --stride=20
control-files crash_disk --power=40 --lie=files
control-folders crash_disk --power=40 --lie=folders
control-io crash_disk --io=40 --lie
END
[ ! -e "$LOG/failed" ]
