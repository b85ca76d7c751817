#!/bin/sh
# kill -9 of every wake of a campaign at every odd system call; then recover,
# and compare with the undisturbed run. The even ones: wakes-even.sh.
exec env REA_SHIM="$BUILD/rea-shim" "$BUILD/test/crash_wakes" --part=1/2
