#!/bin/sh
# One job a token however often it is submitted; the lease goes free at once;
# the wake is called when exit.json is there, and again only if it failed.
. test/lib/shim.sh
cat >"$T/wake" <<'END'
#!/bin/sh
[ -e "$1/exit.json" ] && echo there >>"$1/calls" || echo early >>"$1/calls"
n=$(wc -l <"$1/calls")
[ "$n" -lt "$2" ] && exit 1
exit "$3"
END
chmod +x "$T/wake"
for i in 1 2 3 4 5 6 7 8; do
    "$D" "$T/jobs" submit same "$T/same" wake="$T/wake $T/same 1 0" \
        lease="$T/lease.$i" -- sh -c 'echo run; sleep 1.5' >"$T/out.$i" &
done
wait
cat "$T"/out.* | sort | uniq -c | grep -q '8 local:same$' ||
    fail "not all submits named the job: $(cat "$T"/out.*)"
for i in 1 2 3 4 5 6 7 8; do
    flock -n "$T/lease.$i" true || fail "lease $i is still held"
done
ended same "done ok 0 0"
[ "$(cat "$T/same/stdout.log")" = run ] || fail "it ran more than once"
submit same wake="$T/wake $T/same 1 0" -- sh -c 'echo again'
submit twice wake="$T/wake $T/twice 2 0" -- true
submit gate wake="$T/wake $T/gate 1 3" -- true
ended twice "done ok 0 0"
ended gate "done ok 0 0"
sleep 1.5
[ "$(cat "$T/same/calls")" = there ] || fail "calls: $(cat "$T/same/calls")"
[ "$(cat "$T/same/stdout.log")" = run ] || fail "an ended job ran again"
[ "$(grep -c there "$T/twice/calls")" = 2 ] || fail "a failed wake: not again"
[ "$(grep -c there "$T/gate/calls")" = 1 ] || fail "a gate was called again"
grep -q early "$T"/*/calls && fail "called before exit.json"
"$D" "$T/jobs" list | tr '\n' ' ' | grep -qx 'gate same twice ' || fail "list"
"$D" "$T/jobs" forget same
"$D" "$T/jobs" find same 2>/dev/null && fail "forgotten, and found"
exit 0
