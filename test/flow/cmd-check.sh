#!/bin/sh
# check finds a switch that was given a value, a knob that is not read, a
# style that does not fit; --fix mends what has one answer; resume is tried.
. "$(dirname "$0")/lib.sh"
mkdir ws && cd ws || exit 1
cat >t.py <<'END'
import argparse, os, signal, sys, time
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=0.01)
p.add_argument("--wide", action="store_true")
p.add_argument("--seed", type=int, default=1)
p.add_argument("--out", default=".")
p.add_argument("--resume")
p.add_argument("--ghost", type=int, default=0)
p.add_argument("--stubborn", action="store_true")
p.add_argument("--warm", action="store_true")
a = p.parse_args()
at = int(open(a.resume).read()) if a.resume else 0
def stop(*_):
    open(a.out + "/last.ckpt", "w").write(str(at)); sys.exit(85)
signal.signal(signal.SIGTERM, signal.SIG_IGN if a.stubborn else stop)
cold = a.warm and not os.path.exists(os.environ["HOME"] + "/warm")
open(os.environ["HOME"] + "/warm", "w").close() if a.warm else None
for at in range(at, 8):
    time.sleep(0.3 if cold else 0.2 if a.stubborn else 0.08)
    print(f"auc {0.7 + a.lr + 0.01 * a.wide + at * 1e-3 + a.seed * 1e-6}")
END
cat >good.toml <<'END'
schema = 1
[project]
name = "m"
[train]
command = "python3 t.py --out={run_dir} {knobs} {resume}"
style = "gnu"
seed = "seed"
resume = "--resume={checkpoint}"
checkpoint = "{run_dir}/last.ckpt"
grace = "2s"
exit_codes = { 85 = "preempted" }
[metric.auc]
primary = true
goal = "max"
min_gain = 1e-3
from = "stdout"
pattern = "auc {value}"
[knob.lr]
type = "float"
range = [1e-3, 1e-1]
scale = "log"
default = 1e-2
[knob.wide]
type = "bool"
default = false
[budget]
unit = "trials"
total = 30
[backend]
kind = "local"
END
cp good.toml rea.toml
want 4 "$rea" check
says 'BAD +command'; says 'style = "argparse"'
want 0 "$rea" check --fix; says 'fixed'
grep -q '^style = "argparse"' rea.toml || fail "not fixed"
grep -c '^style' rea.toml | grep -qx 1 || fail "two styles"
want 0 "$rea" check; says 'ok +stop \+ resume'; says 'ok +knobs +2 of 2'; short
# One switch among values: only that knob is wrong.
sed 's/default = false/default = true/' good.toml >rea.toml
sed -e 's/"--wide", action="store_true"/"--wide", nargs="?", const="x"/' \
    -e 's/0.01 \* a.wide/0.01 * (a.wide == "x")/' t.py >t2.py
cat >sw.py <<'END'
import sys
if any(a.startswith("--wide=") for a in sys.argv): sys.exit("switch takes no value")
sys.argv = [a for a in sys.argv]
exec(open("t.py").read())
END
sed -e 's/t.py/sw.py/' -e 's/default = false/default = false\ndoc = "x"/' \
    -e 's/^style = "gnu"/style = "argparse"/' \
    -e 's/^type = "bool"/type = "bool"\nstyle = "gnu"/' good.toml >rea.toml
want 4 "$rea" check; says 'command|knobs'
# A knob that the trainer takes and ignores.
cat good.toml - >rea.toml <<'END'
[knob.ghost]
type = "int"
range = [0, 9]
default = 0
END
sed -i 's/style = "gnu"/style = "argparse"/' rea.toml
want 4 "$rea" check; says 'BAD +knobs +ghost: no metric changes'
# A trainer that ignores SIGTERM, one that leaves no checkpoint.
sed -e 's/style = "gnu"/style = "argparse"/' \
    -e 's/t.py/t.py --stubborn/' -e 's/"2s"/"300ms"/' good.toml >rea.toml
want 4 "$rea" check; says 'ignored SIGTERM'
# One that was slow in the dry run alone is over before the usual moment.
sed -e 's/style = "gnu"/style = "argparse"/' -e 's/t.py/t.py --warm/' \
    good.toml >rea.toml
want 0 "$rea" check; says 'stop [+] resume +SIGTERM -> checkpoint'
sed -e 's/style = "gnu"/style = "argparse"/' -e 's/last.ckpt/other.ckpt/' \
    good.toml >rea.toml
want 4 "$rea" check; says 'without leaving'
"$rea" --json check >c.json
jq -e '.problems == 1 and (.models[0].probes | length) > 2' c.json >/dev/null ||
    fail "json: $(cat c.json)"
exit 0
