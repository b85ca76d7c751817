#!/bin/sh
# The store on a PostgreSQL server: the store's own tests ask it; hours of a
# campaign under random kills take the decisions that SQLite's take; a server
# that dies loses nothing acknowledged; wrong places are told.
. "$(dirname "$0")/lib.sh"
. "$top/test/lib/postgres.sh"
trap 'pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir"
export REA_SHIM="$build/rea-shim"

# --- the same tests
REA_STORE=$pg_url "$build/test/unit/test_store" >unit 2>&1 ||
    fail "test_store: $(cat unit)"
[ "$(grep -c '^\[       OK' unit)" -ge 12 ] || fail "too few: $(cat unit)"

# --- the same decisions
BUILD=$build DAYS_LOG=$dir/lite.log sh "$top/test/full/two-days.sh" 4 3 ||
    fail "two-days on SQLite"
BUILD=$build DAYS_LOG=$dir/pg.log REA_STORE=$pg_url \
    sh "$top/test/full/two-days.sh" 4 3 || fail "two-days on PostgreSQL"
[ -s lite.log ] && cmp lite.log pg.log || fail "another log on PostgreSQL"

# --- a server that dies
shell_model live
cd live || exit 1
export REA_STORE="$pg_url"
sign
unset REA_STORE # the workspace knows its server from now on
[ -f .rea/store ] && [ ! -e .rea/rea.db ] || fail "no place: $(ls .rea)"
pg_down immediate
want 1 "$rea" status
says "can't be reached"
want 1 "$rea" run C1
says 'rea sweep'
pg_up
[ "$(state)" = approved ] || fail "the approval is lost: $("$rea" status)"
want 0 "$rea" run C1
for i in 1 2 3; do
    sleep 0.4
    pg_down immediate # callbacks of jobs that end now reach nobody
    sleep 0.6
    pg_up
    want 0 "$rea" sweep
done
i=0
while [ "$(state)" = running ] && [ $i -lt 200 ]; do
    sleep 0.3
    "$rea" sweep >/dev/null 2>&1
    i=$((i + 1))
done
[ "$(state)" = "done" ] || fail "no end: $("$rea" status)"
want 0 "$rea" replay C1
"$rea" --json report C1 | jq -e '.budget.spent <= .budget.approved' >/dev/null ||
    fail "budget: $("$rea" --json report C1 | jq -c .budget)"
jobs=$("$rea" --json log C1 --all | grep -o '"job_intended"' | wc -l)
runs=$(find .rea/runs -name exit.json | wc -l)
[ "$jobs" -gt 10 ] && [ "$jobs" = "$runs" ] || fail "$jobs jobs intended, $runs ended"
cd ..

# --- wrong places
bad() { # URL, CODE, WORDS
    mkdir -p "bad" && cp "$top"/examples/shell/* bad/
    (cd bad && REA_STORE=$1 && export REA_STORE && want "$2" "$rea" plan && says "$3") || exit 1
    [ ! -e bad/.rea/rea.db ] || fail "SQLite stands in for $1"
    rm -rf bad
}
bad "postgresql://rea:secret@localhost/x" 2 'pgpass'
bad "mysql://localhost/x" 2 'postgresql://'
bad "postgresql://rea@127.0.0.1:1/x" 1 "can't be reached"
bad "postgresql://rea@127.0.0.1:$pg_port/none" 1 'none'
printf 'postgresql://x\n' >live/.rea/store
(cd live && want 1 "$rea" status && says 'damaged') || exit 1
exit 0
