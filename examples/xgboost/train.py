#!/usr/bin/env python3
"""Gradient-boosted trees with XGBoost's Python package. Options as name=value
words; what it prints are XGBoost's own evaluation lines. Data: libsvm files
(train, valid, test), or made on the spot without data=.
"""
import sys

import numpy as np
import xgboost as xgb


def make(n, seed):
    """Clicks with a planted interaction. Synthetic."""
    r = np.random.RandomState(seed)
    x = r.normal(size=(n, 10))
    z = x[:, 0] + 0.8 * x[:, 1] * x[:, 2] - 0.5 * np.abs(x[:, 3])
    return xgb.DMatrix(x, label=r.random_sample(n) < 1 / (1 + np.exp(-z)))


def main():
    o = dict(w.split("=", 1) for w in sys.argv[1:])
    rounds = int(o.pop("rounds", "50"))
    data = o.pop("data", None)
    # XGBoost accepts a misspelt parameter silently; this script does not.
    known = {"eta", "max_depth", "subsample", "lambda", "min_child_weight", "seed"}
    unknown = set(o) - known
    if unknown:
        sys.exit(f"unknown option: {', '.join(sorted(unknown))}")
    if data:
        sets = [xgb.DMatrix(f"{data}/{s}.libsvm?format=libsvm")
                for s in ("train", "valid", "test")]
    else:
        sets = [make(n, s) for n, s in ((6000, 1), (4000, 2), (4000, 3))]
    params = {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"],
              "nthread": 1, **o}
    xgb.train(params, sets[0], rounds,
              evals=[(sets[1], "valid"), (sets[2], "test")], verbose_eval=5)


if __name__ == "__main__":
    main()
