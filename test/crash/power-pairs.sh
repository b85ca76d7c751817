#!/bin/sh
# The power is cut, and cut again at a random call of what recovers from it.
exec "$BUILD/test/crash_disk" --pairs=200 --seed="${SEED:-1}"
