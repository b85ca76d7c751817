#!/bin/sh
# A job that fills the disk: the watch ends it, and without the watch its
# result still arrives, since exit.json took its space before.
. test/lib/shim.sh
mkdir "$T/small"
mount -t tmpfs -o size=2m tmpfs "$T/small" 2>/dev/null || {
    echo "skipped: mounting a small tmpfs is not permitted here"
    exit 0
}
trap 'umount "$T/small"; rm -rf "$T"' EXIT
on_small() {
    token=$1
    shift
    "$D" "$T/jobs" submit "$token" "$T/small/$token" "$@" >/dev/null ||
        fail "submit $token"
}
on_small full disk=-1 -- sh -c \
    'cat /dev/zero >"$0/fill"; echo "cat says $?"; exit 9' "$T/small"
ended full "done exit 9 0"
grep -q 'No space left' "$T/small/full/stderr.log" ||
    [ ! -s "$T/small/full/stderr.log" ] || fail "another end than a full disk"
[ "$(df --output=avail "$T/small" | tail -1)" -lt 64 ] || fail "it is not full"
# Nothing can be started on a full disk, and that is said, not hidden.
"$D" "$T/jobs" submit late "$T/small/late" -- true 2>"$T/said" &&
    fail "started on a full disk"
grep -qi 'no space' "$T/said" || fail "why: $(cat "$T/said")"
rm "$T/small/fill"
"$D" "$T/jobs" find late 2>/dev/null && fail "a claim was left behind"
on_small late -- true
rm -rf "$T/small/late" "$T/small/full"
on_small slow disk=1000000 -- sh -c \
    'i=0; while :; do head -c 100000 /dev/zero >>"$0/fill"; sleep 0.4; done' \
    "$T/small"
ended slow "done disk-full 0 15" 30
