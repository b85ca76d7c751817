#!/bin/sh
# Disks that forget what they were told to sync, files or names in folders: the
# sweep must find violations, or it proves nothing.
"$BUILD/test/crash_disk" --power=40 --lie=files &&
    exec "$BUILD/test/crash_disk" --power=40 --lie=folders
