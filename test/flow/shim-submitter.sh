#!/bin/sh
# The submitting process is killed at any moment; whoever comes next, under the
# same lease, submits again: the job runs exactly once.
. test/lib/shim.sh
rounds=${ROUNDS:-60}
early=0
i=0
while [ $i -lt "$rounds" ]; do
    t=job$i
    # From no time at all to well after the claim.
    timeout -s KILL "0.00$(printf %02d $i)" "$D" "$T/jobs" submit $t "$T/$t" \
        lease="$T/lease" -- sh -c 'echo run' >/dev/null 2>&1
    "$D" "$T/jobs" find $t >/dev/null 2>&1 || early=$((early + 1))
    submit $t lease="$T/lease" -- sh -c 'echo run'
    i=$((i + 1))
done
i=0
while [ $i -lt "$rounds" ]; do
    ended job$i "done ok 0 0"
    [ "$(cat "$T/job$i/stdout.log")" = run ] || fail "job$i ran not once"
    i=$((i + 1))
done
echo "submitter killed: $early of $rounds times before the claim"
[ $early -gt 0 ] && [ $early -lt "$rounds" ] ||
    fail "the kills hit one side of the claim only"
