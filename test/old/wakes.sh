#!/bin/sh
# A campaign that an earlier version put to sleep wakes under this one: it is
# read as it was, with and without its snapshot, and goes on to its end.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rea=$BUILD/rea
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for old in "$here"/v*/; do
    for snapshot in kept deleted; do
        w=$tmp/$(basename "$old")-$snapshot
        mkdir -p "$w/.rea"
        cp "$old/rea.toml" "$old/train.sh" "$w"
        xz -dc "$old/rea.db.xz" >"$w/.rea/rea.db"
        [ $snapshot = kept ] || python3 - "$w/.rea/rea.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
assert db.execute("delete from snapshot").rowcount == 1
db.commit()
PY
        "$rea" -C "$w" status --json >"$w/before"
        [ "$(jq -r '.campaigns[0] | [.id, .state, .trials.ok,
            .budget.spent] | join(" ")' "$w/before")" = "C1 paused 10 10" ]
        "$rea" -C "$w" resume C1 -q
        # it may have ended by itself already: its jobs wake it
        "$rea" -C "$w" run --wait -q || :
        [ "$("$rea" -C "$w" status --json | jq -r '.campaigns[0].state')" = done ]
        "$rea" -C "$w" report --json | jq -e '.trials[0].seed > 0' >/dev/null
    done
done
