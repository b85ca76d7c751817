#!/bin/sh
# The insights database by its verbs: search, why, correct, merge, rebuild,
# trials of other programs, and the chain that a campaign leaves.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
printf '\n[insights]\ncontext = "row=5000"\n' >>rea.toml
want 2 "$rea" plan; says '\[insights\] context = "row=5000"'; says 'did you mean rows'
sed -i 's/"row=5000"/"rows=5000,fields=7,density=0.02,sequence=no"/' rea.toml
sign
want 0 "$rea" run --wait

# a campaign's insight goes down to its trials
id=$("$rea" --json insight list --own | jq -r '.insights[0].id')
"$rea" --json insight show "$id" | jq -e '.context | .rows == 5000 and
    .fields == 7 and .density == 0.02 and .sequence == false' >/dev/null ||
    fail "context: $("$rea" --json insight show "$id")"
want 0 "$rea" insight why "$id"
says 'hypothesis'; says 'observation'; says 'decision'; says 'baseline'
says 'T[0-9]+ +seed'
want 0 "$rea" --json insight why "$id"
jq -e '.experiments | length == 2 and
    all(.[]; .payload.trials | length > 0)' out >/dev/null || fail "$(cat out)"
want 2 "$rea" insight why I999999

# corrections stay in the chain, and undo a promotion
want 0 "$rea" insight promote "$id"
want 0 "$rea" insight show "$id"; says 'signed by tester on .* with key'
want 0 "$rea" insight correct "$id" "the log was misread" effect=-0.5 sd=0.01
says 'negative +-0.5'
want 0 "$rea" insight show "$id"; says 'status +draft'
want 0 "$rea" insight why "$id"; says 'the log was misread, by tester'
want 2 "$rea" insight correct "$id" "why" efect=1; says 'no field'
[ "$(stat -c %a "$HOME/.config/rea/sign.key")" = 600 ] || fail "key mode"

# what replaces a row, and what speaks against it
origin=$("$rea" --json insight show "$id" | jq -r .origin)
want 0 "$rea" insight add "it does not hold" effect=-0.1 sd=0.01 \
    contradicts="$origin"
want 0 "$rea" insight why "$id"; says 'against it +I[0-9]+ +it does not hold'
want 0 "$rea" insight add "told better" effect=0.1 sd=0.01 supersedes="$origin"
want 0 "$rea" insight why "$id"; says 'replaced by +I[0-9]+ +told better'
want 0 "$rea" --json insight list --own
jq -e --arg o "$origin" 'all(.insights[]; .origin != $o)' out >/dev/null ||
    fail "a replaced row is listed"

# search
want 0 "$rea" insight search dropout --verdict=negative --family=dcnv2
says 'loss, 0 unstable'; short
want 0 "$rea" --json insight search --like-context=rows=40000,family=fm --max=3
jq -e '.insights | length == 3 and .[0].family == "fm"' out >/dev/null ||
    fail "$(cat out)"
want 2 "$rea" insight search x --verdict=bad; says 'positive, null'
want 2 "$rea" insight search x --like-context=row=3; says 'did you mean rows'
want 2 "$rea" insight search x --like-context=rows=-3; says 'above zero'

# trials of other programs
printf 'lr,seed,auc\n1,1,0.7\n1,2,0.701\n2,1,0.72\n2,2,0.721\n3\n' >t.csv
want 2 "$rea" insight import t.csv; says 'remedy: --metric=NAME'
want 0 "$rea" insight import t.csv --metric=auc
says '1 added'; says '1 bad'; says 'line 6: 1 cells'
want 0 "$rea" insight import t.csv --metric=auc; says '0 added'
want 0 "$rea" insight import "$top/test/unit/data/optuna-journal.log"
says '5 added'; says '13 trials'
want 2 "$rea" insight import t.csv --metric=auc --goal=up; says 'min or max'

# a server that asks who we are
mkfifo hold
python3 "$top/test/flow/mlflow.py" <hold >port &
server=$!
exec 9>hold
i=0
while [ ! -s port ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
url=http://127.0.0.1:$(cat port)
want 1 "$rea" insight import "$url" --metric=auc; says 'MLFLOW_TRACKING_TOKEN'
export MLFLOW_TRACKING_TOKEN='se"cret'
want 0 "$rea" insight import "$url/" --metric=auc
says '3 trials'; says '2 added'
want 0 "$rea" insight import "$url" --metric=auc; says '0 added, 2 known'
exec 9>&-
wait "$server"
want 1 "$rea" insight import "$url" --metric=auc; says 'curl exits'

# two databases, either way round, and rows made anew
mkdir -p ../a ../b && cp rea.toml ../a && cp rea.toml ../b
want 0 "$rea" -C ../a insight add "one more" effect=0.001 sd=0.0001
cp -r .rea/insights.db ../mine.db
cp ../a/.rea/insights.db ../other.db
want 0 "$rea" -C ../a insight merge ../mine.db; says 'insights are new'
want 0 "$rea" -C ../b insight merge ../other.db
want 0 "$rea" -C ../b insight merge ../mine.db
want 0 "$rea" -C ../b insight merge ../mine.db; says ' 0 added'
for d in a b; do
    want 0 "$rea" -C ../$d insight export -o "$d.jsonl"
    want 0 "$rea" -C ../$d insight export --events -o "$d.events"
done
cmp a.jsonl b.jsonl || fail "A+B is not B+A"
cmp a.events b.events || fail "the events of A+B are not those of B+A"
want 0 "$rea" -C ../b insight rebuild; says 'made anew'
want 0 "$rea" -C ../b insight export -o again.jsonl
cmp b.jsonl again.jsonl || fail "rebuilding changes rows"
want 2 "$rea" insight merge nowhere.db; says 'no such file'
want 0 "$rea" insight list; short
exit 0
