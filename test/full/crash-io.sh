#!/bin/sh
# Every file call of every step of a campaign fails, in every way.
exec "$BUILD/test/crash_disk" --io-all
