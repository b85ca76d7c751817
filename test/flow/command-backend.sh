#!/bin/sh
# kind = "command": a whole campaign through a scheduler that is a shell
# script, with a submit that fails, a job that gets lost, one that is cancelled
# while it waits and one while it runs; then a job submitted twice.
. "$(dirname "$0")/lib.sh"
queue=$top/test/flow/queue.sh
Q=$dir/queue
mkdir "$Q"
sh "$queue" "$Q" serve &
server=$!
trap 'mv "$Q" "$dir/over"; wait $server; rm -rf "$dir"' EXIT
shell_model ws && cd ws || exit 1
sed -i '/^\[backend\]/,$d' rea.toml
cat >>rea.toml <<EOF
[resources]
cpus = 1
memory = "200M"
time = "2m"
[backend]
kind = "command"
submit = "sh $queue $Q submit {script} {name}"
state = "sh $queue $Q state {id}"
cancel = "sh $queue $Q cancel {id}"
logs = "sh $queue $Q logs {id}"
EOF
events() { "$rea" --json log C1 | jq -c 'select(.event == "'"$1"'")'; }
until_file() { # SECONDS TEST...
    i=$(($1 * 10))
    shift
    until "$@"; do
        i=$((i - 1))
        [ $i -gt 0 ] || fail "never: $*: $("$rea" status)"
        sleep 0.1
    done
}
some() { # PATTERN: is there a file like that?
    set -- $1
    [ -e "$1" ]
}
want 0 "$rea" check
says 'backend .*command: a test job ran'
[ -z "$(ls -d .rea-check* 2>/dev/null)" ] || fail "check left its folder"
sign

# A queue that takes nothing: the wake says so and nothing is lost.
: >"$Q/closed"
"$rea" run >out 2>err && fail "run on a closed queue: $(cat out)"
says 'the queue is closed'
"$rea" sweep >out 2>err && fail "sweep on a closed queue"
[ "$(state)" = running ] || fail "state $(state)"
rm "$Q/closed"

# A job that waits, and a scheduler that then knows nothing of it: lost only
# once it says so itself.
: >"$Q/hold"
want 0 "$rea" sweep
until_file 10 some "$Q/*.job"
lost=$(ls "$Q"/*.job | head -n 1)
grep -q '^shell-C1-T1-a1$' "${lost%.job}.name" || fail "$(cat "$Q"/*.name)"
script=$(cat "$lost")
: >"$Q/mute"
rm "$lost"
want 0 "$rea" sweep
want 0 "$rea" sweep
[ ! -e "$(dirname "$script")/exit.json" ] || fail "no answer is no end"
rm "$Q/mute" "$Q/hold"
want 0 "$rea" sweep
[ ! -e "$(dirname "$script")/exit.json" ] || fail "the exit file may be late"
sleep 10.5
want 0 "$rea" sweep
grep -q '"node-fail"' "$(dirname "$script")/exit.json" ||
    fail "lost: $(cat "$(dirname "$script")/exit.json")"

# What was lost can't start any more, however late.
before=$(cksum <"$(dirname "$script")/exit.json")
sh "$script" 2>late || fail "a late start is no error: $(cat late)"
grep -q lost late || fail "a late start ran: $(cat late)"
[ "$before" = "$(cksum <"$(dirname "$script")/exit.json")" ] ||
    fail "a settled job's facts changed"

# The rest runs through, woken by the supervisors.
want 0 "$rea" run --wait
[ "$(state)" = 'done' ] || fail "state $(state): $("$rea" status)"
"$rea" --json report >report.json || fail report
jq -e '.proposal.sealed.lo > 0' report.json >/dev/null ||
    fail "$(jq -c .proposal report.json)"
[ "$(ls "$Q"/*.name | wc -l)" -ge 30 ] || fail "few jobs went by the queue"
ls .rea/jobs/* >/dev/null 2>&1 && fail "left: $(ls .rea/jobs)"

# Stop: one job waits in the queue, two run.
cd .. && mkdir ws2 && cp ws/train.sh ws2 &&
    sed 's/name = "shell"/name = "second"/; s/^max_parallel.*/max_parallel = 3/' \
    ws/rea.toml >ws2/rea.toml && cd ws2 || exit 1
sed -i 's/^sleep .*/sleep 30/' train.sh # a job has the scheduler's environment
sign
want 0 "$rea" run
until_file 10 sh -c '[ "$(ls .rea/runs/C1/*/a1/shim.json 2>&1 | wc -l)" = 2 ]'
until_file 5 some "$Q/*.job"
"$rea" stop C1 >out 2>err </dev/null || fail "stop: $(cat err)"
until_file 15 sh -c '[ "$(ls .rea/runs/C1/*/a1/exit.json 2>&1 | wc -l)" = 3 ]'
until_state stopped
for f in .rea/runs/C1/*/a1/exit.json; do
    grep -q '"cancelled"' "$f" || fail "$(cat "$f")"
done
some "$Q/*.job" && fail "the queue still has it"
want 0 "$rea" sweep
ls .rea/jobs/* >/dev/null 2>&1 && fail "left: $(ls .rea/jobs)"

# Bad templates are found when the file is read.
bad() { # SED MESSAGE
    sed "$1" ../ws/rea.toml >rea.toml
    want 2 "$rea" plan
    says "$2"
}
bad 's/{script}/{skript}/' 'unknown placeholder .skript'
bad 's/^state = .*/state = "queue"/' 'which job it is about'
bad '/^cancel = /d' 'lacks a template'
exit 0
