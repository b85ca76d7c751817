#!/bin/sh
# More than 1,000 kills at random system calls of wakes and sweeps, recoveries
# included, over one campaign: the decisions are those of the undisturbed run.
exec env REA_SHIM="$BUILD/rea-shim" "$BUILD/test/crash_wakes" --random=80
