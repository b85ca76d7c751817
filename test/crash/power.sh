#!/bin/sh
# The power is cut at 1,000 places spread over every call of a campaign that
# changes the disk; what was not synced is lost, torn or reordered by a seed.
exec "$BUILD/test/crash_disk" --power=1000 --seed="${SEED:-1}"
