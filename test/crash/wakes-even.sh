#!/bin/sh
# kill -9 of every wake of a campaign at every even system call: wakes-odd.sh.
exec env REA_SHIM="$BUILD/rea-shim" "$BUILD/test/crash_wakes" --part=2/2
