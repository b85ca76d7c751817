#!/bin/sh
# Nothing runs before approval, nor after command, knob, metric or a raised
# budget was edited; the restored file runs; comments and order are free.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
export SLEEP=0.1
cp rea.toml good.toml
want 0 "$rea" plan; short; says 'next: rea approve'
want 3 "$rea" run; says 'rea approve [0-9a-f]+'
want 2 "$rea" approve 1234567; says '8 digits'
want 2 "$rea" approve 123456789abc; says 'no plan has a hash'
[ -z "$(ls .rea/runs 2>/dev/null)" ] || fail "something ran before approval"
edit() { # NAME SED-SCRIPT: run is refused until the file is restored
    sed "$2" good.toml >rea.toml
    cmp -s good.toml rea.toml && fail "$1: the edit changed nothing"
    want 3 "$rea" run; says 'rea.toml'
    [ -z "$(ls .rea/runs 2>/dev/null)" ] || fail "$1: a job ran"
    cp good.toml rea.toml
}
hash=$("$rea" --json plan | jq -r .hash)
sed 's/default = 8/default = 9/' good.toml >rea.toml
want 2 "$rea" approve "$hash"; says 'changed after plan'
cp good.toml rea.toml
want 0 "$rea" approve "$(echo "$hash" | cut -c1-8)"; short
want 0 "$rea" approve "$hash"; says 'already'
edit command 's/sh train.sh/sh  .\/train.sh -/'
edit knob 's/range = \[4, 64\]/range = [4, 128]/'
edit metric 's/min_gain = 3e-4/min_gain = 1e-4/'
edit guardrail 's/max_increase = "1%"/max_increase = "9%"/'
edit budget 's/total = 70/total = 90/'
{ echo "# a comment"; cat good.toml; } >rea.toml
want 0 "$rea" run; short
[ -n "$(ls .rea/runs)" ] || fail "the restored file does not run"
# A file that can't be read now has not changed: it fails a wake, and no more.
rm rea.toml && ln -s rea.toml rea.toml
i=0
until "$rea" --json status | jq -e '.campaigns[0].attention |
    test("last wake failed.*rea.toml")' >out 2>err; do
    i=$((i + 1))
    [ $i -lt 100 ] || fail "nobody missed the file: $("$rea" status)"
    sleep 0.2
done
[ "$(state)" = running ] || fail "unread, and $(state)"
rm rea.toml && cp good.toml rea.toml
want 0 "$rea" sweep
want 0 "$rea" pause
# A running campaign halts at the gate, and goes on with the restored file.
sed 's/sh train.sh/sh train.sh x/' good.toml >rea.toml
want 3 "$rea" resume; says 'rea.toml'
want 3 "$rea" run
want 0 "$rea" plan; says 'next: rea approve'
want 0 "$rea" approve "$("$rea" --json plan | jq -r .hash)"
want 0 "$rea" resume C1
case $(state) in running | done) ;; *) fail "re-approved, but $(state)" ;; esac
want 0 "$rea" run --wait
[ "$(state)" = done ] || fail "$(state)"
# Another command measures something else: no comparison crosses the change.
want 0 "$rea" log --all; says 'window 2: the command changed'
says 'baseline seed 5 of 5, new data window'
exit 0
