#!/usr/bin/env python3
"""The engine's search beside Optuna's, in one harness: bench-replay serves
the same candidates, start, redrawn noise and naming of the incumbent (best
mean measured) to every peer, and scores them all. A proposal of a peer that is
no recorded configuration becomes the nearest untried one of the same model.

Without arguments: a smoke run (skipped without optuna or tables).
  replay_peers.py --seeds 20 --methods rea,rea-cold,random,tpe,tpe-top5
  [--trials T.csv.gz] [--budget 60] [--min-candidates 100] [--out runs.json]
prints the table of docs/decisions/0002-search.md."""
import argparse
import json
import math
import os
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
MARKS = (5, 10, 20, 40, 60)
NUMERIC = (1, 2)  # float, int
ORDERED = (6,)    # list: its index


def command(o, *more):
    cmd = [o.bench, "--trials", o.trials, "--target", o.target,
           "--budget", str(o.budget), "--seeds", str(o.seeds),
           "--min-candidates", str(o.min_candidates), "--noise", o.noise]
    if o.insights:
        cmd += ["--insights-trials", o.insights]
    return cmd + list(more)


def engine_runs(o, *more):
    out = subprocess.run(command(o, "--json", *more), check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out)["runs"]


class Peer:
    """One Optuna study over one served problem."""

    def __init__(self, problem, variant):
        import optuna
        self.optuna = optuna
        self.p = problem
        self.knobs = problem["knobs"]
        self.unseen = set(range(len(problem["candidates"])))
        self.queue = [problem["start"]]
        if "top5" in variant and problem["prior"]:
            order = sorted(self.unseen, key=lambda i: -problem["prior"][i])
            self.queue += [i for i in order if i != problem["start"]][:5]
        many = "mv" in variant
        sampler = optuna.samplers.TPESampler(
            seed=problem["seed"], multivariate=many, group=many)
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self.active = {}
        for c in problem["candidates"]:
            on = self.active.setdefault(c[0], set())
            on.update(k for k, v in enumerate(c) if v is not None)

    def dist(self, k):
        knob, d = self.knobs[k], self.optuna.distributions
        if knob["kind"] in NUMERIC:
            return d.FloatDistribution(knob["lo"], knob["hi"],
                                       log=bool(knob["log"]))
        if knob["kind"] in ORDERED:
            return d.IntDistribution(0, knob["n"] - 1)
        return d.CategoricalDistribution(list(range(max(knob["n"], 1))))

    def unit(self, k, v):
        knob = self.knobs[k]
        if knob["kind"] in ORDERED:
            return v / max(1, knob["n"] - 1)
        lo, hi = knob["lo"], knob["hi"]
        if knob["log"]:
            return math.log(v / lo) / math.log(hi / lo)
        return (v - lo) / (hi - lo)

    def gap(self, want, have):
        total = 0
        for k, v in want.items():
            h = have[k]
            if h is None:
                total += 1
            elif self.knobs[k]["kind"] in NUMERIC + ORDERED:
                total += abs(self.unit(k, v) - self.unit(k, h))
            else:
                total += v != h
        return total

    def propose(self):
        if self.queue:
            return self.queue.pop(0)
        trial = self.study.ask()
        want = {0: self.suggest(trial, 0)}
        for k in sorted(self.active[want[0]] - {0}):
            want[k] = self.suggest(trial, k)
        self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        same = [i for i in self.unseen
                if self.p["candidates"][i][0] == want[0]]
        return min(same or self.unseen, key=lambda i: (
            self.gap(want, self.p["candidates"][i]), i))

    def suggest(self, trial, k):
        d, name = self.dist(k), str(k)
        kind = self.knobs[k]["kind"]
        if kind in NUMERIC:
            return trial.suggest_float(name, d.low, d.high, log=d.log)
        if kind in ORDERED:
            return trial.suggest_int(name, d.low, d.high)
        return trial.suggest_categorical(name, d.choices)

    def tell(self, i, value):
        self.unseen.discard(i)
        params, dists = {}, {}
        for k, v in enumerate(self.p["candidates"][i]):
            if v is not None:
                whole = self.knobs[k]["kind"] not in NUMERIC
                params[str(k)] = int(v) if whole else v
                dists[str(k)] = self.dist(k)
        self.study.add_trial(self.optuna.trial.create_trial(
            params=params, distributions=dists, value=value))


def peer_runs(o, variant):
    bench = subprocess.Popen(command(o, "--method", "serve"), text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    runs = []
    while True:
        line = bench.stdout.readline()
        if not line:
            break
        problem = json.loads(line)
        peer = Peer(problem, variant)
        for _ in range(problem["budget"]):
            if not peer.unseen:
                i = problem["start"]
            else:
                i = peer.propose()
            bench.stdin.write(f"{i}\n")
            bench.stdin.flush()
            peer.tell(i, float(bench.stdout.readline()))
        runs.append(json.loads(bench.stdout.readline()))
    if bench.wait() != 0:
        raise SystemExit(f"bench-replay ended with {bench.returncode}")
    return runs


def runs_of(o, method):
    if method == "rea":
        return engine_runs(o)
    if method == "rea-cold":
        return engine_runs(argparse.Namespace(**{**vars(o), "insights": None}))
    if method in ("random", "greedy"):
        return engine_runs(o, "--method", method)
    return peer_runs(o, method)


def trials_to(regret, level):
    n = len(regret)
    while n > 0 and regret[n - 1] <= level:
        n -= 1
    return n + 1


def summary(runs):
    def at(m):
        return sum(r["regret"][min(m, len(r["regret"])) - 1]
                   for r in runs) / len(runs)

    def to(level):
        return math.exp(sum(math.log(trials_to(r["regret"], level))
                            for r in runs) / len(runs))
    return [at(m) for m in MARKS] + [to(.2), to(.1)]


def table(results):
    head = [f"@{m}" for m in MARKS] + ["to .2", "to .1"]
    print(f"| method | {' | '.join(head)} |")
    print("|---" * (len(head) + 1) + "|")
    for method, runs in results.items():
        s = summary(runs)
        cells = [f"{v:.3f}" for v in s[:5]] + [f"{v:.1f}" for v in s[5:]]
        print(f"| {method} | {' | '.join(cells)} |")
    print()
    names = sorted({r["dataset"] for r in next(iter(results.values()))})
    print("by dataset: regret after 10 / 20 / 40, trials to .1")
    for name in names:
        for method, runs in results.items():
            s = summary([r for r in runs if r["dataset"] == name])
            print(f"  {name:20} {method:12} {s[1]:.3f} {s[2]:.3f} {s[3]:.3f}"
                  f" {s[6]:6.1f}")


def worst(results):
    """Largest mean regret over random's, by dataset and budget 5..60."""
    if "rea" not in results or "random" not in results:
        return
    out = []
    for name in {r["dataset"] for r in results["rea"]}:
        mine = [r["regret"] for r in results["rea"] if r["dataset"] == name]
        rand = [r["regret"] for r in results["random"]
                if r["dataset"] == name]
        for n in range(5, len(mine[0]) + 1):
            a = sum(x[n - 1] for x in mine) / len(mine)
            b = sum(x[n - 1] for x in rand) / len(rand)
            out.append((a - (1.1 * b + .01), name, n, a, b))
    w = max(out)
    print(f"worst against 1.1 x random + .01: {w[1]} after {w[2]} trials: "
          f"{w[3]:.3f}, random {w[4]:.3f}; above it in "
          f"{sum(x[0] > 0 for x in out)} of {len(out)} places")


def main():
    replay = os.environ.get("REA_REPLAY", "../shared/replay")
    trials = os.path.join(replay, "bars_trials.csv.gz")
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--bench", default=os.path.join(BUILD, "bench-replay"))
    a.add_argument("--trials", default=trials)
    a.add_argument("--insights")
    a.add_argument("--target", default="all")
    a.add_argument("--budget", type=int, default=60)
    a.add_argument("--seeds", type=int, default=0)
    a.add_argument("--noise", default="auto")
    a.add_argument("--min-candidates", type=int, default=100)
    a.add_argument("--methods", default="random,rea,tpe,tpe-top5")
    a.add_argument("--out")
    a.add_argument("--merge", nargs="*", default=[])
    o = a.parse_args()
    try:
        import optuna
    except ImportError:
        print("skipped: optuna is not installed (PyPI)")
        return 77
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    import warnings
    warnings.simplefilter("ignore")
    for need in (o.trials, o.bench):
        if not os.path.exists(need):
            print(f"skipped: no {need}")
            return 77
    smoke = o.seeds == 0 and not o.merge
    if smoke:
        o.seeds, o.budget = 1, 20
    o.insights = o.insights or o.trials
    results = {}
    for path in o.merge:
        with open(path) as f:
            results.update(json.load(f))
    for method in filter(None, o.methods.split(",")):
        results[method] = runs_of(o, method)
        if o.out:
            with open(o.out, "w") as f:
                json.dump(results, f)
    table(results)
    worst(results)
    if smoke:
        for method, runs in results.items():
            ok = all(len(r["evaluated"]) >= 1 and
                     len(r["incumbent"]) == o.budget for r in runs)
            if not ok or not runs:
                print(f"FAIL: {method} has no complete run")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
