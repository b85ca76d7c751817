#!/bin/sh
# A campaign at work moves from SQLite to a server: nothing of its log is lost,
# what had the old database open can't go on with it, and a move that is killed
# anywhere is run once more.
. "$(dirname "$0")/lib.sh"
. "$top/test/lib/postgres.sh"
trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir"
export REA_SHIM="$build/rea-shim" REA_SEED=5
log_of() { "$rea" --json log "$1" --all | jq -c '[.lines[] | .event]'; }

# --- a campaign with jobs in flight
shell_model live
cd live || exit 1
export SLEEP=0.4
sign
want 0 "$rea" pool team --total 50 --floor 4 --unit trials
want 0 "$rea" run C1
log_of C1 >"$dir/before"
want 2 "$rea" store move "postgresql://rea:secret@localhost/x"; says 'pgpass'
want 1 "$rea" store move "postgresql://rea@127.0.0.1:1/x"; says "can't be reached"
want 0 "$rea" store show; says 'SQLite'
want 0 "$rea" store move "$pg_url"; short; says 'events checked'
want 0 "$rea" store show; says 'PostgreSQL'
want 1 "$rea" store move "$pg_url"; says 'already'
log_of C1 >"$dir/after"
jq -e --slurpfile a "$dir/before" '.[:($a[0] | length)] == $a[0]' \
    "$dir/after" >out || fail "another log: $(cat "$dir/after")"
# jobs that were started before end on the server
want 0 "$rea" run C1 --wait
[ "$(state)" = "done" ] || fail "no end: $("$rea" status)"
want 0 "$rea" replay C1; says PASS
jobs=$("$rea" --json log C1 --all | grep -o '"job_intended"' | wc -l)
runs=$(find .rea/runs -name exit.json | wc -l)
[ "$jobs" = "$runs" ] || fail "$jobs jobs intended, $runs ended"
# a wake is recorded under a number of its own
want 0 "$rea" sweep
# the copy is no state
mv .rea/store kept
want 2 "$rea" status; says 'moved to a server'
want 2 "$rea" store move "postgresql://rea@127.0.0.1/other"; says 'the state went to'
want 0 "$rea" store move "$pg_url"; says 'finished'
cmp .rea/store kept || fail "another place: $(cat .rea/store)"
cd ..

# --- a copy of the folder
cp -r live copy && rm copy/.rea/store
python3 - <<'PY'
import sqlite3
db = sqlite3.connect("copy/.rea/rea.db")
db.execute("ALTER TABLE campaign_moved RENAME TO campaign")
db.execute("PRAGMA user_version = 1")
PY
want 1 "$rea" -C copy store move "$pg_url"; says 'of this id already'
(cd live && want 0 "$rea" replay C1) || exit 1

# --- killed at its system calls
shell_model cut
cd cut || exit 1
sign
want 0 "$rea" run C1 --wait
log_of C1 >"$dir/whole"
cd ..
cp -r cut kept
"$build/test/kill_at" 0 "$rea" -C kept store move "$pg_url" >out 2>count
total=$(grep -oE '[0-9]+' count | tail -n 1)
[ "$total" -gt 200 ] || fail "no system calls: $total"
again() { # SQLite is true, and nothing lies on the server
    rm -rf ws && cp -r cut ws
    id=$("$rea" --json -C ws store show | jq -r .workspace)
    psql -qX "$pg_url" -c "DROP SCHEMA IF EXISTS rea_$id CASCADE" 2>err ||
        fail "psql: $(cat err)"
}
n=1 cuts=0 true_lite=0 true_moved=0 true_pg=0
while [ "$n" -lt "$total" ]; do
    again
    "$build/test/kill_at" "$n" "$rea" -C ws store move "$pg_url" >out 2>&1
    cuts=$((cuts + 1))
    if "$rea" -C ws status >out 2>err; then
        [ -e ws/.rea/store ] && true_pg=$((true_pg + 1)) || true_lite=$((true_lite + 1))
    else
        grep -q 'moved to a server' err || fail "call $n: $(cat err)"
        true_moved=$((true_moved + 1))
    fi
    [ -e ws/.rea/store ] || want 0 "$rea" -C ws store move "$pg_url"
    (cd ws && log_of C1) >got
    cmp -s got whole || fail "call $n: another log"
    # the next one begins where nothing was copied
    n=$((n + total / 25 + 1))
done
n=$((total - 12)) # the last steps, one by one
while [ "$n" -le "$total" ]; do
    again
    "$build/test/kill_at" "$n" "$rea" -C ws store move "$pg_url" >out 2>&1
    [ -e ws/.rea/store ] || want 0 "$rea" -C ws store move "$pg_url"
    (cd ws && log_of C1) >got
    cmp -s got whole || fail "call $n: another log"
    n=$((n + 1))
done
[ "$true_lite" -gt 5 ] || fail "SQLite was true $true_lite times of $cuts"
echo "cut $cuts times in $total calls: SQLite true $true_lite, moved $true_moved, server $true_pg"
