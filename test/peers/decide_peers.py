#!/usr/bin/env python3
"""Time of one decision beside Optuna's, on the problem of bench-decide (12
knobs, every fourth a bool): ask and tell of a study that already holds 100,
1,000 and 10,000 trials, in milliseconds of processor time (median of 9).
Skipped without optuna. Without --full: to 1,000 trials, and without
bench-decide (found in BUILD)."""
import os
import random
import statistics
import subprocess
import sys
import time

KNOBS = 12
SIZES = (100, 1000, 10000)
ASKS = 9


def main():
    try:
        import optuna
    except ImportError:
        print("skipped: optuna is not installed (PyPI)")
        return 77
    import warnings
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sizes = SIZES if "--full" in sys.argv else SIZES[:2]
    dist = {f"knob{k}": optuna.distributions.CategoricalDistribution([0, 1])
            if k % 4 == 3 else optuna.distributions.FloatDistribution(0, 1)
            for k in range(KNOBS)}

    def value(x):
        return -sum(1e-3 * (x[f"knob{k}"] - .6) ** 2 for k in range(KNOBS))

    print(f"{'optuna ' + optuna.__version__:>24} {'trials':>8} {'p50 ms':>8}")
    for name, many in (("TPE", False), ("TPE multivariate + group", True)):
        r = random.Random(3)
        sampler = optuna.samplers.TPESampler(
            seed=3, multivariate=many, group=many)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for n in sizes:
            while len(study.trials) < n - ASKS:
                rows = []
                for _ in range(n - ASKS - len(study.trials)):
                    x = {k: r.choice([0, 1]) if k in ("knob3", "knob7",
                                                      "knob11") else r.random()
                         for k in dist}
                    rows.append(optuna.trial.create_trial(
                        params=x, distributions=dist,
                        value=value(x) + r.gauss(0, 2e-4)))
                study.add_trials(rows)
            ms = []
            for _ in range(ASKS):
                begin = time.process_time()
                trial = study.ask(dist)
                study.tell(trial, value(trial.params) + r.gauss(0, 2e-4))
                ms.append(1e3 * (time.process_time() - begin))
            print(f"{name:>24} {n:8d} {statistics.median(ms):8.1f}", flush=True)
    bench = os.path.join(os.environ.get("BUILD", "build"), "bench-decide")
    if os.path.exists(bench) and "--full" in sys.argv:
        print("this engine:")
        sys.stdout.flush()
        return subprocess.run([bench], check=False).returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
