#!/bin/sh
# bench-replay judges by tables that it has never seen: other columns, models
# and sizes, odd ids, empty cells, line ends of another system. Bad input says
# what and exits 2; nothing of the target's own family may inform it.
. "$(dirname "$0")/lib.sh"
bench=$build/bench-replay
[ -x "$bench" ] || fail "$bench is not built"

# tables.py KIND N: a table of N trials, of another kind each
cat >tables.py <<'END'
import csv, gzip, random, sys
kind, n = sys.argv[1], int(sys.argv[2])
r = random.Random(7)
names = sys.argv[3].split(",") if len(sys.argv) > 3 else ["alpha_x1"]
head = ["trial_id", "dataset", "model", "space", "val_auc", "test_auc",
        "seconds", "hp:lr", "hp:units", "hp:act", "hp:depth"]
rows = []
for d, name in enumerate(names):
    for i in range(n):
        model = ["A", "B", "C"][i % 3]
        lr = r.choice([1e-4, 1e-3, 1e-2])
        if kind == "continuous":
            lr = round(10 ** r.uniform(-5, -1), 9)
        act = r.choice(["relu", "tanh"]) if model != "C" else ""
        units = r.choice(["[64,64]", "[128]", "[]"])
        depth = r.randint(1, 40)
        v = .7 + .01 * (lr == 1e-3) + .0002 * depth - .01 * (model == "A") \
            + r.gauss(0, .0005)
        rows.append([f"{model}_{d}_{i}", name, model, f"{model}_{name}",
                     f"{v:.6f}", f"{v - .002:.6f}", i, lr, units, act, depth])
rows.sort(key=lambda x: 0 if kind != "mixed" else hash(x[4]) % 97)
sep, quote, end = ",", csv.QUOTE_MINIMAL, "\n"
if kind == "ids":
    for i, x in enumerate(rows):
        x[0], x[1], x[2], x[3] = i, 12, ord(x[2]) - 64, ""
elif kind == "bare":
    keep = [0, 1, 2, 4] + list(range(7, 11))
    head = [head[c] for c in keep]
    rows = [[x[c] for c in keep] for x in rows]
elif kind == "holes":
    for i, x in enumerate(rows):
        x[5] = "" if i % 2 else "nan"
        x[4] = ["", "nan", "inf", "x"][i % 4] if i % 10 == 9 else x[4]
        if i % 17 == 3:
            x[7:] = [""] * 4
elif kind == "quotes":
    end, quote = "\r\n", csv.QUOTE_ALL
    for i, x in enumerate(rows):
        x[0] = f'say "{i}", \\ and\tso\u00e9'
elif kind == "twice":
    rows += [[x[0] + "b"] + x[1:] for x in rows]
elif kind == "seeds":
    head += ["hp:seed"]
    rows = [[f"{x[0]}s{s}"] + x[1:4] +
            [f"{float(x[4]) + r.gauss(0, .002):.6f}"] + x[5:] + [s]
            for x in rows for s in range(3)]
elif kind == "plateau":
    for x in rows:
        x[4] = .7
elif kind == "mostly":
    for i, x in enumerate(rows):
        x[4] = .8 if i == 5 else .7
with open("t.csv", "w", newline="") as f:
    if kind == "quotes":
        f.write("\ufeff")
    w = csv.writer(f, quoting=quote, lineterminator=end)
    w.writerow(head)
    w.writerows(rows)
    if kind == "quotes":
        f.write("\r\n")
with open("t.csv", "rb") as f, gzip.open("t.csv.gz", "wb", 1) as g:
    g.write(f.read())
END
# play KIND N: the form of --json must hold for every method
play() {
    python3 tables.py "$@" || fail "tables.py $*"
    for m in ${METHODS:-rea random greedy prior}; do
        want 0 "$bench" --trials ${TABLE:-t.csv} --budget 12 --seeds 2 \
            --noise auto --mode search --insights-trials ${TABLE:-t.csv} \
            --method $m --json
        cp out runs.json && cp err notes
        jq -e '.runs | length >= 2 and all(.[];
            (.dataset | type == "string") and (.seed | type == "number") and
            (.evaluated | length) >= 1 and (.incumbent | length) == 12 and
            (.decide_ms | length) == (.evaluated | length) and
            all(.evaluated[], .incumbent[]; type == "string") and
            (.claims | type == "array") and (.finalists | type == "array"))' \
            runs.json >/dev/null || fail "$* $m: $(head -c 900 runs.json)"
    done
}

play plain 20
TABLE=t.csv.gz play plain 120 alpha_x1,beta_x1
[ "$(jq -r '[.runs[].dataset] | unique | join(" ")' runs.json)" = \
    "alpha_x1 beta_x1" ] || fail "not all datasets"
want 0 "$bench" --trials t.csv --target beta_x1 --budget 5 --seeds 1 --json
[ "$(jq -r '.runs[].dataset' out)" = beta_x1 ] || fail "--target"
play ids 60
jq -e '.runs[0].incumbent[11] | test("^[0-9]+$")' runs.json >/dev/null ||
    fail "numeric ids"
play bare 60
play holes 100
play quotes 60
jq -e '.runs[0].evaluated[0] | test("^say \"[0-9]+\", .* and\tso\u00e9$")' \
    runs.json >/dev/null || fail "ids: $(jq '.runs[0].evaluated[0]' runs.json)"
play mostly 40

# Copies are one candidate and no proof that there is no noise.
METHODS=random
play twice 40
want 0 "$bench" --trials t.csv --budget 60 --seeds 1 --method random
says '^alpha_x1 +(3[0-9]|40)  0\.100'
# Runs that differ in their seed are repeats: their sd is the noise.
play seeds 40
want 0 "$bench" --trials t.csv --budget 60 --seeds 1 --method random
says '^alpha_x1 +(3[0-9]|40) '
sd=$(awk '/^alpha/ {print $3}' out)
want 0 "$bench" --trials t.csv --budget 60 --seeds 1 --method random \
    --noise .002
awk -v a="$sd" '/^alpha/ {exit !(a > .75 * $3 && a < 1.3 * $3)}' out ||
    fail "noise of repeats: $sd of the range, .002 is $(cat out)"

# More configurations than a spec holds: a sample, said so, the same each time.
METHODS="rea random"
play continuous 20000
grep -q '2048 of 20000 configurations' notes || fail "no note: $(cat notes)"
cp runs.json first.json
play continuous 20000
[ "$(jq -S 'del(.runs[].decide_ms)' runs.json)" = \
    "$(jq -S 'del(.runs[].decide_ms)' first.json)" ] || fail "another sample"

# Without a single change on record a full campaign searches and confirms.
want 0 "$bench" --trials t.csv --budget 30 --seeds 1 --mode full --json
jq -e '.runs[0].evaluated | length >= 20' out >/dev/null ||
    fail "full without single changes: $(head -c 500 out)"

# Nothing of the target's family informs it, whatever the marks of its name.
prior() { # TARGET INSIGHTS...: how many predictions
    python3 tables.py plain 60 "$1" && mv t.csv target.csv
    python3 tables.py plain 60 "$2"
    "$bench" --trials target.csv --insights-trials t.csv --method serve \
        --seeds 1 --min-candidates 3 </dev/null 2>notes | jq '.prior | length'
}
for own in alpha alpha_x1 alpha_x4 alpha_x4_001 ALPHA_X1 alpha_001 alpha-2 \
    alpha_v3; do
    [ "$(prior alpha_x1 $own)" = 0 ] || fail "$own informs alpha_x1"
    [ "$(prior $own alpha_x4_001)" = 0 ] || fail "alpha_x4_001 informs $own"
    grep -q 'nothing of another family' notes || fail "$own: $(cat notes)"
done
for other in alphabet_x1 beta_x1 alpha2_x1 7 alpha_small_x1; do
    [ "$(prior alpha_x1 $other)" -gt 50 ] || fail "$other is no family of its own"
done
[ "$(prior 1 2)" -gt 50 ] || fail "datasets 1 and 2 are one family"
# The same predictions with and without the own family in the table.
both() {
    "$bench" --trials target.csv --insights-trials t.csv --method serve \
        --seeds 1 </dev/null 2>/dev/null | jq -c .prior
}
python3 tables.py plain 60 alpha_x1 && cp t.csv target.csv
python3 tables.py plain 60 beta_x1 && cp t.csv other.csv
one=$(both)
{ cat other.csv; sed -n '2,$s/alpha_x1/alpha_x4_001/gp' target.csv; } >t.csv
[ "$one" = "$(both)" ] && [ ${#one} -gt 300 ] || fail "the own family leaks"

# An insights table with other knobs, and single changes beside it or not.
sed '1s/hp:lr,hp:units,hp:act,hp:depth/hp:x,hp:y,hp:z,hp:w/' other.csv >t.csv
cat >changes.csv <<'END'
dataset,model,space,hp,from,to,base_trial,new_trial,d_val_auc
beta_x1,A,A_beta_x1,lr,0.0001,0.001,a,b,0.01
alpha_x1,A,A_alpha_x1,lr,0.0001,0.001,a,b,0.01
beta_x1,A,A_beta_x1,lr,0.001,0.01,a,b,
END
changes_both() {
    "$bench" --trials target.csv --insights-trials other.csv --method serve \
        --insights-hypotheses "$1" --seeds 1 </dev/null 2>/dev/null |
        jq -c .prior
}
grep -v ^alpha changes.csv >others.csv
for own in alpha_x1 alpha_x4_001 ALPHA-2; do
    sed "s/^alpha_x1/$own/" changes.csv >own.csv
    [ "$(changes_both own.csv)" = "$(changes_both others.csv)" ] ||
        fail "single changes of $own inform alpha_x1"
done
for m in search full; do
    want 0 "$bench" --trials target.csv --insights-trials t.csv --json \
        --insights-hypotheses changes.csv --budget 30 --seeds 2 --mode $m
    jq -e '.runs | length == 2' out >/dev/null || fail "$m"
done
jq -e 'all(.runs[].finalists[]; .lo <= .gain and .gain <= .hi and
    (.true_gain | type == "number") and (.trial_id | type == "string"))' out \
    >/dev/null || fail "finalists: $(jq -c .runs[0].finalists out)"

# Bad input: what and where, exit 2.
bad() { # PATTERN ARGUMENT...
    pattern=$1
    shift
    want 2 "$bench" "$@"
    says "$pattern"
}
play plain 20
bad 'trials is missing' --json
bad 'none.csv: cannot be opened' --trials none.csv
bad 'no dataset gamma' --trials t.csv --target gamma
bad 'budget 0: not understood' --trials t.csv --budget 0
bad 'seeds x: not understood' --trials t.csv --seeds x
bad 'noise -1: not understood' --trials t.csv --noise -1
bad 'noise many: not understood' --trials t.csv --noise many
bad 'method tea: not understood' --trials t.csv --method tea
bad 'mode fast: not understood' --trials t.csv --mode fast
bad 'colour: no such option' --trials t.csv --colour
bad 'needs --insights-trials' --trials t.csv --insights-hypotheses changes.csv
bad 'target.csv has no column hp' --trials t.csv --insights-trials other.csv \
    --insights-hypotheses target.csv
head -c 300 t.csv.gz >cut.csv.gz
bad 'cut.csv.gz: unreadable or damaged gzip' --trials cut.csv.gz
printf 'trial_id,dataset,model,val_auc,hp:a\n1,d,m,.5\n' >short.csv
bad 'short.csv, row 2: 4 cells, the head has 5' --trials short.csv
sed 1s/val_auc/val_acc/ t.csv >column.csv
bad 'column.csv has no column val_auc' --trials column.csv
printf 'a\0b' >nul.csv
bad 'nul.csv: a NUL byte' --trials nul.csv
: >empty.csv
bad 'empty.csv' --trials empty.csv
head -n 1 t.csv >head.csv
bad 'no dataset all with known configurations' --trials head.csv
head -n 3 t.csv >two.csv
bad '2 trials with a known configuration' --trials two.csv --target alpha_x1
python3 tables.py plateau 30
bad 'no configuration is better than the median' --trials t.csv \
    --target alpha_x1
want 0 "$bench" --trials t.csv --json
jq -e '.runs == []' out >/dev/null || fail "a plateau among all"
grep -q 'left out' err || fail "silent: $(cat err)"
exit 0
