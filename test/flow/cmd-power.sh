#!/bin/sh
# The power is lost while local jobs run, and their claims, which are not
# synced, are lost or torn with it: the jobs end as lost with the machine, and
# the campaign goes on.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
export SLEEP=300
sign
want 0 "$rea" run C1
set -- .rea/jobs/rea-*
[ $# -ge 2 ] || fail "only $# jobs run"
for claim; do
    shim=$(jq .pid "$claim")
    # shellcheck disable=SC2046
    kill -9 "$shim" $(pgrep -P "$shim") || fail "no supervisor of $claim"
done
rm "$1"
: >"$2"
# in the same boot nobody can tell yet: nothing is settled
want 0 "$rea" wake C1
want 0 "$rea" why J1; says_not 'started again'
python3 -c 'import sqlite3
c = sqlite3.connect(".rea/rea.db", timeout=10)
c.execute("update attempt set boot_id = ?", ("an earlier boot",))
c.commit()'
export SLEEP=0
want 0 "$rea" wake C1
for job in J1 J2; do
    want 0 "$rea" why $job
    says 'node-fail.*started again'
done
until_state done
want 0 "$rea" replay C1; says PASS
exit 0
