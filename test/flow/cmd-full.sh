#!/bin/sh
# A full disk: the message says so, nothing acknowledged is lost, and the
# campaign goes on when there is space. Needs a small tmpfs.
. "$(dirname "$0")/lib.sh"
mkdir ws
mount -t tmpfs -o size=3m none ws 2>/dev/null || skip "tmpfs is not permitted"
trap 'cd /; umount "$dir/ws"; rm -rf "$dir"' EXIT
shell_model ws && cd ws || exit 1
"$rea" --json plan >../plan.json 2>../err || fail "plan: $(cat ../err)"
dd if=/dev/zero of=fill bs=64k 2>/dev/null
timeout 60 "$rea" approve "$(jq -r .hash ../plan.json)" >../out 2>../err
rc=$?
if [ $rc != 0 ]; then
    [ $rc = 1 ] || fail "approve on a full disk: $rc"
    grep -qiE 'space|full' ../err || fail "says: $(cat ../err)"
fi
rm fill
[ $rc = 0 ] || "$rea" approve "$(jq -r .hash ../plan.json)" >/dev/null ||
    fail "approve after the space came back"
[ "$("$rea" --json status | jq -r '.campaigns[0].state')" = approved ] ||
    fail "$("$rea" status)"
exit 0
