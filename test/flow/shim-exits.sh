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
