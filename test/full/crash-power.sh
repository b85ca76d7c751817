#!/bin/sh
# The power is cut at every call of a campaign that changes the disk, four times
# each, and 2,000 times again while it recovers.
exec "$BUILD/test/crash_disk" --power=8000 --pairs=2000 --seed="${SEED:-1}"
