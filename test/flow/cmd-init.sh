#!/bin/sh
# init writes a project file that check accepts, from a stranger's argparse
# script and from the bundled trainer; it overwrites nothing.
. "$(dirname "$0")/lib.sh"
mkdir a b c || exit 1
cat >a/t.py <<'END'
import argparse
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=0.01, help="learning rate")
p.add_argument("--act", choices=["relu", "gelu"], default="relu")
p.add_argument("--wide", action="store_true")
p.add_argument("--epochs", type=int, default=3)
p.add_argument("--seed", type=int, default=1)
a = p.parse_args()
for e in range(a.epochs):
    v = 0.7 + a.lr + 0.01 * a.wide + 0.001 * (a.act == "gelu") + a.seed * 1e-6
    print(f"step {e} train_loss=0.5 val_auc={v + e * 1e-3:.6f} val_loss={0.6 - v / 10:.6f}")
print(f"test_auc: {v:.6f}")
END
want 0 "$rea" -C a init --from "python3 t.py --epochs=2"; short
grep -q '^\[metric.val_auc\]' a/rea.toml || fail "primary: $(cat a/rea.toml)"
grep -q '^role = "sealed"' a/rea.toml || fail "no sealed metric"
grep -q '^\[knob.epochs\]' a/rea.toml && fail "epochs is set by the command"
for k in lr act wide; do
    grep -q "^\[knob.$k\]" a/rea.toml || fail "no knob $k: $(cat a/rea.toml)"
done
grep -q '^seed = "seed"' a/rea.toml || fail "no seed"
want 0 "$rea" -C a check; says 'ok +knobs +3 of 3'
want 2 "$rea" -C a init --from "python3 t.py"; says 'not overwritten'
want 0 "$rea" -C b init; short
want 2 "$rea" -C c init --from "./nowhere --x"; says 'nowhere'
[ ! -e c/rea.toml ] || fail "a file was written all the same"
exit 0
