#!/bin/sh
# kill -9 of wakes whose money comes by grants of a pool, at every fifth system
# call: nothing is given twice, nothing is lost.
exec env REA_SHIM="$BUILD/rea-shim" "$BUILD/test/crash_wakes" --pool --stride=5
