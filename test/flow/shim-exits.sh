#!/bin/sh
# A job's exit code, signal and output arrive as they were.
. test/lib/shim.sh
submit ok env=COLOUR=blue -- sh -c 'echo "out $COLOUR $REA_TOKEN"; echo err >&2'
submit three -- sh -c 'exit 3'
submit segv -- sh -c 'kill -SEGV $$'
submit none -- "$T/no-such-program"
touch "$T/file"
submit plain -- "$T/file"
ended ok "done ok 0 0"
ended three "done exit 3 0"
ended segv "done signal 0 11"
ended none "done launch-fail 0 0"
ended plain "done launch-fail 0 0"
[ "$(cat "$T/ok/stdout.log")" = "out blue ok" ] || fail "standard output"
[ "$(cat "$T/ok/stderr.log")" = err ] || fail "standard error"
[ "$(field "$T/ok/exit.json" token)" = ok ] || fail "token in exit.json"
[ "$(field "$T/none/exit.json" detail)" = "No such file or directory" ] ||
    fail "detail of a program that is not there"
[ ! -e "$T/ok/exit.tmp" ] || fail "exit.tmp was left"
"$D" "$T/jobs" logs ok | grep -q '^err$' || fail "logs"
# What a sandbox tells as 128 + n is signal n, and nothing else is.
for code in 139 137 128 193 7; do
    submit "box$code" boxed=1 -- sh -c "exit $code"
done
submit bare -- sh -c 'exit 139'
ended box139 "done signal 0 11"
ended box137 "done signal 0 9"
ended box128 "done exit 128 0"
ended box193 "done exit 193 0"
ended box7 "done exit 7 0"
ended bare "done exit 139 0"
