#!/usr/bin/env python3
"""Stopping on rungs beside Optuna's pruners, in one harness: bench-fidelity
serves the same tasks, start and curves to every peer, charges what was played,
and names the best whole run. A proposal of a sampler that is no recorded
configuration becomes the nearest untried one.

Without arguments: a smoke run (skipped without optuna or tables).
  fidelity_peers.py --seeds 20 --methods rea,rea-full,random,asha,tpe+asha
  [--curves F.csv.gz] [--configs T.csv.gz] [--units 10] [--lie SHARE]
prints the table of docs/decisions/0004-fidelity.md."""
import argparse
import json
import math
import os
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
NUMERIC = (1, 2)  # float, int
ORDERED = (6,)    # list: its index
OWN = ("rea", "rea-full", "random")


def command(o, *more):
    cmd = [o.bench, "--curves", o.curves, "--target", o.target,
           "--units", str(o.units), "--seeds", str(o.seeds),
           "--first-seed", str(o.first_seed),
           "--min-candidates", str(o.min_candidates), "--lie", str(o.lie)]
    if o.configs:
        cmd += ["--configs", o.configs]
    if o.rungs:
        cmd += ["--rungs", o.rungs]
    return cmd + list(more)


class Peer:
    """One study with a sampler and a pruner over one served task."""

    def __init__(self, problem, method):
        import numpy
        import optuna
        self.p, self.optuna, self.numpy = problem, optuna, numpy
        self.unseen = set(range(len(problem["candidates"])))
        self.places = numpy.array([
            [numpy.nan if v is None else self.column(k, v)
             for k, v in enumerate(c)] for c in problem["candidates"]])
        seed = problem["seed"]
        samplers = optuna.samplers
        sampler = (samplers.TPESampler(seed=seed) if "tpe" in method
                   else samplers.RandomSampler(seed=seed))
        top = int(problem["rungs"][-1])
        pruner = (optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=top, reduction_factor=3)
            if "hyperband" in method else
            optuna.pruners.SuccessiveHalvingPruner(
                min_resource=1, reduction_factor=4))
        self.study = optuna.create_study(
            direction="maximize", sampler=sampler, pruner=pruner)

    def unit(self, k, v):
        knob = self.p["knobs"][k]
        if v is None:
            return None
        if knob["kind"] in ORDERED:
            return v / max(1, knob["n"] - 1)
        lo, hi = knob["lo"], knob["hi"]
        if knob["log"]:
            return math.log(v / lo) / math.log(hi / lo)
        return (v - lo) / (hi - lo)

    def suggest(self, trial, k):
        knob, name = self.p["knobs"][k], str(k)
        if knob["kind"] in NUMERIC:
            return trial.suggest_float(
                name, knob["lo"], knob["hi"], log=bool(knob["log"]))
        if knob["kind"] in ORDERED:
            return trial.suggest_int(name, 0, knob["n"] - 1)
        return trial.suggest_categorical(name, list(range(max(1, knob["n"]))))

    def column(self, k, v):
        """A value as a place on the knob: distances are between these."""
        if self.p["knobs"][k]["kind"] in NUMERIC + ORDERED:
            return self.unit(k, v)
        return v

    def nearest(self, want, pool):
        np, total = self.numpy, 0
        for k, v in enumerate(want):
            have = self.places[pool, k]
            apart = (have - self.column(k, v)) ** 2
            if self.p["knobs"][k]["kind"] not in NUMERIC + ORDERED:
                apart = (have != v) * 1.0
            total = total + np.where(np.isnan(have), 0, apart)
        return int(pool[np.argmin(total)])

    def ask(self, first):
        """A trial and the candidate that it runs."""
        if first:
            start = self.p["candidates"][self.p["start"]]
            self.study.enqueue_trial(
                {str(k): v for k, v in enumerate(start) if v is not None})
        trial = self.study.ask()
        want = [self.suggest(trial, k) for k in range(len(self.p["knobs"]))]
        pool = self.numpy.array(
            sorted(self.unseen) or list(range(len(self.p["candidates"]))))
        who = self.p["start"] if first else self.nearest(want, pool)
        self.unseen.discard(who)
        return trial, who

    def play(self, bench, first):
        """One run; False: the money is gone."""
        if bench.stdout.readline().strip() != "next":
            return False
        trial, who = self.ask(first)
        state = self.optuna.trial.TrialState
        bench.stdin.write(f"{who}\n")
        bench.stdin.flush()
        value, at = None, 0
        while True:
            line = bench.stdout.readline()
            if line.startswith("out"):
                self.study.tell(trial, state=state.FAIL)
                return True
            value, done = line.split()
            value, at = float(value), at + 1
            if done == "1":
                self.study.tell(trial, value)
                return True
            trial.report(value, at)
            stop = not first and trial.should_prune()
            bench.stdin.write("stop\n" if stop else "go\n")
            bench.stdin.flush()
            if stop:
                self.study.tell(trial, state=state.PRUNED)
                return True


def peer_runs(o, method):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    bench = subprocess.Popen(command(o, "--method", "serve"), text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    runs, line = [], bench.stdout.readline()
    while line:
        peer, first = Peer(json.loads(line), method), True
        while peer.play(bench, first):
            first = False
        line = bench.stdout.readline()
        runs.append(json.loads(line))
        line = bench.stdout.readline()
    if bench.wait() != 0:
        raise SystemExit(f"bench-fidelity ended with {bench.returncode}")
    return runs


def runs_of(o, method):
    if method not in OWN:
        return peer_runs(o, method)
    out = subprocess.run(command(o, "--json", "--method", method), check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out)["runs"]


def at(run, units):
    regret = run["first"]
    for _, _, spent, _, r in run["runs"]:
        if spent <= units + 1e-9:
            regret = r
    return regret


def table(o, results):
    marks = [o.units * s for s in (.2, .5, 1)]
    print("| method | " + " | ".join(f"regret @{m:g}" for m in marks)
          + " | +- | runs | units a run |")
    print("|---" * (len(marks) + 4) + "|")
    for method, runs in results.items():
        last = [at(r, o.units) for r in runs]
        mean = sum(last) / len(last)
        var = sum((x - mean) ** 2 for x in last) / max(1, len(last) - 1)
        n = sum(len(r["runs"]) for r in runs) / len(runs)
        spent = sum(r["runs"][-1][2] for r in runs) / len(runs)
        cells = [f"{sum(at(r, m) for r in runs) / len(runs):.3f}"
                 for m in marks]
        print(f"| {method} | {' | '.join(cells)} | "
              f"{math.sqrt(var / len(last)):.3f} | {n:.1f} | {spent / n:.3f} |")


def options():
    replay = os.environ.get("REA_REPLAY", "../shared/replay")
    p = argparse.ArgumentParser()
    p.add_argument("--bench", default=f"{BUILD}/bench-fidelity")
    p.add_argument("--curves", default=f"{replay}/taskset_nlp.csv.gz")
    p.add_argument("--configs", default="")
    p.add_argument("--target", default="all")
    p.add_argument("--rungs", default="")
    p.add_argument("--units", type=float, default=10)
    p.add_argument("--lie", type=float, default=0)
    p.add_argument("--seeds", type=int, default=20)
    p.add_argument("--first-seed", type=int, default=1)
    p.add_argument("--min-candidates", type=int, default=3)
    p.add_argument("--methods", default="rea,rea-full,random,asha,hyperband,"
                   "tpe+asha,tpe+hyperband")
    p.add_argument("--out", default="")
    return p.parse_args()


def smoke(o):
    """One seed of one task, and the numbers must be of the right kind."""
    with subprocess.Popen(command(o, "--json", "--method", "random"),
                          stdout=subprocess.PIPE, text=True) as bench:
        task = json.load(bench.stdout)["runs"][0]["task"]
    o.target, o.seeds, o.units = task, 1, 3
    for method in ("random", "asha", "tpe+hyperband"):
        runs = runs_of(o, method)
        assert len(runs) == 1 and runs[0]["runs"], method
        assert runs[0]["runs"][-1][2] <= 3 + 1e-6, method
        assert at(runs[0], 3) >= -1e-9, method


def main():
    o = options()
    try:
        import optuna  # noqa: F401
    except ImportError:
        print("skipped: optuna is not installed (PyPI)")
        return 77
    if not os.path.exists(o.curves):
        print(f"skipped: no {o.curves}")
        return 77
    if len(sys.argv) == 1:
        smoke(o)
        return 0
    results = {}
    for method in o.methods.split(","):
        results[method] = runs_of(o, method)
        if o.out:
            with open(o.out, "w", encoding="utf-8") as f:
                json.dump(results, f)
    table(o, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
