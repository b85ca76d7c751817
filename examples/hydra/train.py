#!/usr/bin/env python3
"""Stands for a program with Hydra's command line: dotted name=value overrides,
lists in brackets; an unknown name is an error. Python's standard library only.
Truth: optimizer.lr .05 gains .0012 over .01, model.dropout .2 gains .0007,
the second field gains .0005.
"""
import math
import random
import sys

config = {"optimizer.lr": 0.01, "model.dropout": 0.0, "model.wide": False,
          "data.fields": ["user"], "seed": 1}
for word in sys.argv[1:]:
    name, _, value = word.partition("=")
    if name not in config:
        sys.exit(f"Could not override '{name}'. Key '{name}' is not in struct")
    old = config[name]
    if isinstance(old, bool):
        config[name] = {"true": True, "false": False}[value]
    elif isinstance(old, list):
        config[name] = [v for v in value.strip("[]").split(",") if v]
    else:
        config[name] = type(old)(value)
c = config
rng = random.Random(str(sorted(c.items())))
auc = 0.73 + 0.0012 * (1 - min(4, (math.log(c["optimizer.lr"] / 0.05) / math.log(5)) ** 2))
auc += 0.0007 * max(0, 1 - abs(c["model.dropout"] - 0.2) / 0.2)
auc += 0.0005 * ("item" in c["data.fields"]) + 0.0002 * c["model.wide"]
print("[INFO] - " + " ".join(f"{k}={v}" for k, v in sorted(c.items())))
for epoch in range(1, 5):
    v = auc + rng.gauss(0, 5e-5) - 0.02 * math.exp(-1.4 * epoch)
    print(f"[INFO] - epoch={epoch} | val/auc={v:.6f} | val/loss={0.47 - (v - 0.73):.5f}")
print(f"[INFO] - test/auc={auc + rng.gauss(0, 2.5e-4):.6f}")
