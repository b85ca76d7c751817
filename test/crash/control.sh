#!/bin/sh
# The same test on a wake that is wrong on purpose (two transactions where one
# is needed): it must find violations, or it proves nothing.
exec env REA_SHIM="$BUILD/rea-shim" "$BUILD/test/crash_wakes" --control \
    --stride=5
