#!/bin/sh
# Concurrent wakes, sweeps and readers, some killed: nothing is lost, and the
# database is whole (the lock against SQLite's WAL-reset bug holds).
exec env REA_SHIM="$BUILD/rea-shim" "$BUILD/test/wake_hammer" 120
