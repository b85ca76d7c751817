#!/bin/sh
# The hammer on real processes: wakes die between starting a supervisor and
# storing its handle; still every attempt is started once, and all is settled.
exec env REA_SHIM="$BUILD/rea-shim" "$BUILD/test/wake_hammer" 120 local
