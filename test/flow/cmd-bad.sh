#!/bin/sh
# Bad input of every kind: a clear message, the right exit code, nothing lost.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
cp rea.toml good.toml
bad() { # NAME SED-SCRIPT PATTERN: refused with place and reason by plan, check
    sed "$2" good.toml >rea.toml
    cmp -s good.toml rea.toml && fail "$1: the edit changed nothing"
    want 2 "$rea" plan; says "$3"; says 'rea.toml:[0-9]+:[0-9]+'
    want 2 "$rea" check; says "$3"
    cp good.toml rea.toml
}
# Malformed TOML, one kind a line.
i=0
while IFS= read -r line; do
    i=$((i + 1))
    { cat good.toml; printf '%b\n' "$line"; } >rea.toml
    want 2 "$rea" plan; says 'rea.toml:[0-9]+:[0-9]+'
done <<'END'
[knob
[knob.x
[knob.x]]
x = 
= 3
x = "open
x = 'open
x = """open
x = [1, 2
x = {a = 1
x = 1 2
x = 01
x = 1__0
x = .5
x = +-1
x = tru
x = "\\q"
x = 2020-13-40
[knob.lr]
x = 1\nx = 2
a.b = 1\na = 2
x = "\x01"
[backend]
END
[ "$i" -ge 20 ] || fail "only $i kinds of malformed TOML"
bad default 's/default = 8/default = 80/' '80'
bad reversed 's/range = \[4, 64\]/range = [64, 4]/' '64'
bad logzero 's/range = \[1e-3, 1.0\]/range = [0.0, 1.0]/' 'log'
bad budget0 's/total = 70/total = 0/' 'total'
bad key 's/^goal = "max"/gaol = "max"/' 'goal'
bad pattern 's/{value},/value,/' 'value'
bad mingain 's/min_gain = 3e-4/min_gain = 0/' 'min_gain'
bad seeds 's/seeds = 5/seeds = 1/' 'seeds'
bad schema 's/schema = 1/schema = 2/' 'schema'
# A metric that never appears: said by check, with the closest line.
sed 's/valid auc = {value}/validation auc = {value}/' good.toml >rea.toml
want 4 "$rea" check; says 'BAD +metrics'; says 'closest: "epoch'
sign && want 3 "$rea" run --wait
says 'failed in a row, the last one by missing-metric'
want 0 "$rea" why T1; says 'missing-metric'; says 'no line like'
want 0 "$rea" stop C1; cp good.toml rea.toml
# A trainer that is not there.
sed 's/sh train.sh/.\/nowhere.sh/' good.toml >rea.toml
want 4 "$rea" check; says 'nowhere.sh'
cp good.toml rea.toml
# A data file truncated or gone.
if [ -x "$build/rea-ctr" ]; then
    "$build/rea-ctr" --generate=data --rows=2000 >/dev/null 2>&1
    xz data/*.ffm && head -c 3000 data/split.train.ffm.xz >t &&
        mv t data/split.train.ffm.xz
    sed -e "s|sh train.sh|$build/rea-ctr --data=data --metrics={metrics_file} {knobs}|" \
        -e '/^exit_codes/d' good.toml >rea.toml
    want 4 "$rea" check; says 'data/split.train.ffm.xz'
fi
sed 's/^seed = "seed"/&\nfingerprint = ["data\/gone"]/' good.toml >rea.toml
want 4 "$rea" check; says 'data/gone'
cp good.toml rea.toml
# Two project files with one name.
mkdir models && cp good.toml models/a.toml && cp good.toml models/b.toml
want 2 "$rea" plan; says 'a.toml|b.toml|rea.toml'
rm -r models
# A broken campaign name, an empty plan, silly budgets.
want 2 "$rea" plan --budget=0; says 'above 0'
want 2 "$rea" plan --budget=-1
want 2 "$rea" plan --budget=1000; says 'more than'
want 2 "$rea" plan --from-insights=maybe; says 'yes or no'
# State of a newer version, a state that is no database, one not writable.
want 0 "$rea" plan
cp -R .rea keep
python3 - <<'END' || fail "python3"
import sqlite3
c = sqlite3.connect(".rea/rea.db"); c.execute("pragma user_version = 99"); c.commit()
END
want 2 "$rea" status; says 'newer'
want 2 "$rea" plan; says 'newer'
rm -rf .rea && cp -R keep .rea
head -c 4096 /dev/zero >.rea/rea.db; rm -f .rea/rea.db-*
want 1 "$rea" status
rm -rf .rea && cp -R keep .rea
[ "$(state C2)" = draft ] || fail "the saved state is not the same"
if [ "$(id -u)" != 0 ]; then
    chmod -R a-w .rea
    want 1 "$rea" plan; says 'written|read-only|permission|denied'
    want 0 "$rea" status
    chmod -R u+w .rea
elif command -v setpriv >/dev/null; then
    chown -R 65534:65534 . && chmod -R a-w .rea && chmod 755 "$dir" "$dir/ws"
    want 1 setpriv --reuid=65534 --regid=65534 --clear-groups "$rea" plan
    says 'written|read-only|ermission|denied'
    want 0 setpriv --reuid=65534 --regid=65534 --clear-groups "$rea" status
    chmod -R u+w .rea
fi
exit 0
