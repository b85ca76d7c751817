#!/bin/sh
# Calls that do nothing and tell success: the sweep must find violations.
exec "$BUILD/test/crash_disk" --io=40 --lie
