#!/bin/sh
# Every ninth file call of every step of a campaign fails in one way: EIO,
# ENOSPC, half a write, a disk that is full from there on. All: test/full.
exec "$BUILD/test/crash_disk" --io=9 --seed="${SEED:-1}"
