#!/usr/bin/env python3
"""The engine's search beside other tuners, in one harness: bench-replay serves
the same candidates, start, redrawn noise and naming of the incumbent (best
mean measured) to every peer, and scores them all. How a peer is held to
recorded configurations stands in lib/samplers.py.

Without arguments: a smoke run (skipped where nothing of it can run).
  replay_peers.py --seeds 20 --page docs/peers.md
makes the page and the plot beside it. A peer's choices are kept in --cache and
played again when problem, peer and version are the same; the bench's answers
must then be the same as well, or the run is made anew."""
import argparse
import hashlib
import importlib.metadata
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: threads cost
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import page  # noqa: E402
import samplers  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
ENGINE = ("rea", "rea-cold", "random", "greedy", "prior")
NEEDS = {"tpe": "optuna", "gp": "torch", "smac": "smac"}
PAGE = ("rea,tpe-top5,tpe-mv-top5,tpe-own-top5,gp-top5,smac-top5,prior,"
        "rea-cold,tpe,tpe-mv,tpe-own,gp,smac,greedy,random")
SMOKE = "rea,random,greedy,tpe-top5,tpe-mv,tpe-own,gp-top5,smac-top5"
SMOKE_SEEDS = 3  # of what runs in the engine
# What an engine that decides no better than chance would not hold.
MARGIN = .8


def command(o, method, seeds):
    cmd = [o.bench, "--trials", o.trials, "--target", o.target,
           "--budget", str(o.budget), "--seeds", str(seeds),
           "--min-candidates", str(o.min_candidates), "--noise", o.noise]
    if o.insights and method != "rea-cold":
        cmd += ["--insights-trials", o.insights]
        if o.hypotheses:
            cmd += ["--insights-hypotheses", o.hypotheses]
    return cmd


def engine_runs(o, method, seeds):
    name = "rea" if method == "rea-cold" else method
    done = subprocess.run(
        command(o, method, seeds) + ["--method", name, "--json"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return json.loads(done.stdout)["runs"]


class Replay:
    """A peer's choices of an earlier, equal run."""

    def __init__(self, choices):
        self.choices, self.at = choices, 0

    def next(self):
        self.at += 1
        return self.choices[self.at - 1]

    def told_of(self, i, value):
        pass


def cache_path(o, method, line):
    problem = json.loads(line)
    if not method.endswith("-top5"):
        problem["prior"] = []
    with open(samplers.__file__, "rb") as f:
        code = hashlib.sha256(f.read()).hexdigest()
    key = json.dumps([problem, method, page.versions(), code])
    name = hashlib.sha256(key.encode()).hexdigest()[:24]
    return os.path.join(o.cache, f"{method}-{name}.json")


def campaign(bench, peer, budget):
    """Plays one campaign; returns the choices and what was measured."""
    choices, values = [], []
    for _ in range(budget):
        i = peer.next()
        bench.stdin.write(f"{i}\n")
        bench.stdin.flush()
        values.append(float(bench.stdout.readline()))
        peer.told_of(i, values[-1])
        choices.append(i)
    return choices, values


def serve(o, method, seeds, first, target, anew):
    """The runs of one peer; with `anew` nothing is taken from the cache."""
    bench = subprocess.Popen(
        command(o, method, seeds) + ["--method", "serve", "--first-seed",
                                     str(first), "--target", target],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    runs = []
    for line in bench.stdout:
        problem = json.loads(line)
        path = cache_path(o, method, line)
        old = None
        if os.path.exists(path) and not anew:
            with open(path) as f:
                old = json.load(f)
        if old:
            peer = Replay(old["choices"])
        else:
            peer = samplers.make(method, problem, random.Random(
                f"{problem['dataset']} {problem['seed']}"), o.scratch)
        choices, values = campaign(bench, peer, problem["budget"])
        run = json.loads(bench.stdout.readline())
        if old and old["values"] != values:
            run = serve(o, method, 1, problem["seed"], problem["dataset"],
                        True)[0]
        elif not old:
            os.makedirs(o.cache, exist_ok=True)
            with open(path + ".new", "w") as f:
                json.dump({"choices": choices, "values": values}, f)
            os.replace(path + ".new", path)
        runs.append(run)
    if bench.wait() != 0:
        raise SystemExit(f"bench-replay ended with {bench.returncode}")
    return runs


def missing(method):
    need = NEEDS.get(method.split("-")[0])
    if need is None:
        return None
    for name in {need, "optuna"} if need == "torch" else {need}:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return name
    return None


def runs_of(o, method, seeds):
    begin = time.time()
    if method in ENGINE:
        runs = engine_runs(o, method, seeds)
    else:
        runs = serve(o, method, seeds, 1, o.target, False)
    print(f"{method}: {len(runs)} runs, {time.time() - begin:.0f} s",
          file=sys.stderr, flush=True)
    return runs


def smoke_check(o, results):
    """What the smoke run must show; returns the breaches."""
    bad = []
    for method, runs in results.items():
        if not runs:
            bad.append(f"{method} has no run")
        for r in runs:
            if len(r["incumbent"]) != o.budget or not r["evaluated"]:
                bad.append(f"{method}: {r['dataset']} is not complete")
            if method not in ENGINE and \
                    len(set(r["evaluated"])) < min(o.budget, 5):
                bad.append(f"{method}: {r['dataset']} tried hardly anything")
    mean = {m: sum(sum(r["regret"]) / len(r["regret"]) for r in runs) /
            max(1, len(runs)) for m, runs in results.items()}
    if {"rea", "random"} <= set(mean) and \
            mean["rea"] > MARGIN * mean["random"]:
        bad.append(f"rea's mean regret {mean['rea']:.3f} is above {MARGIN} of "
                   f"random's {mean['random']:.3f}")
    return bad


def options():
    replay = os.environ.get("REA_REPLAY", "../shared/replay")
    trials = os.path.join(replay, "bars_trials.csv.gz")
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--bench", default=os.path.join(BUILD, "bench-replay"))
    a.add_argument("--trials", default=trials)
    a.add_argument("--insights")
    a.add_argument("--hypotheses")
    a.add_argument("--target", default="all")
    a.add_argument("--budget", type=int, default=60)
    a.add_argument("--seeds", type=int, default=0)
    a.add_argument("--noise", default="auto")
    a.add_argument("--min-candidates", type=int, default=100)
    a.add_argument("--methods", default=PAGE,
                   help="with the number of seeds where it is another: gp:5")
    a.add_argument("--cache", default=os.path.join(BUILD, "peers-cache"))
    a.add_argument("--out", help="every run as JSON")
    a.add_argument("--page", help="the page to write, with an .svg beside it")
    o = a.parse_args()
    o.insights = o.insights or o.trials
    default = os.path.join(os.path.dirname(o.trials), "bars_hypotheses.csv.gz")
    if o.hypotheses is None and o.trials == trials and os.path.exists(default):
        o.hypotheses = default
    o.smoke = o.seeds == 0
    if o.smoke:
        o.seeds, o.budget = 1, 20
        if o.methods == PAGE:
            o.methods = SMOKE
    return o


def arguments():
    """What was asked, less where the runs were written to."""
    args = sys.argv[1:]
    if "--out" in args:
        at = args.index("--out")
        del args[at:at + 2]
    return args


def seeds_of(o):
    """(method, seeds) of --methods: "tpe" or "tpe:5"."""
    for item in filter(None, o.methods.split(",")):
        method, _, n = item.partition(":")
        seeds = SMOKE_SEEDS if o.smoke and method in ENGINE else o.seeds
        yield method, int(n) if n else seeds


def main():
    o = options()
    for need in (o.trials, o.bench):
        if not os.path.exists(need):
            print(f"skipped: no {need}")
            return 77
    warnings.simplefilter("ignore")
    if not missing("tpe"):
        import optuna
        optuna.logging.set_verbosity(optuna.logging.ERROR)
    results, skipped = {}, {}
    with tempfile.TemporaryDirectory() as o.scratch:
        if o.smoke:  # plays every peer anew
            o.cache = os.path.join(o.scratch, "cache")
        for method, seeds in seeds_of(o):
            lack = missing(method)
            if lack:
                skipped[method] = lack
                print(f"skipped: {method}: {lack} is not installed (PyPI)")
                continue
            results[method] = runs_of(o, method, seeds)
            if o.out:
                with open(o.out, "w") as f:
                    json.dump(results, f)
    print(page.tables(results))
    if o.page:
        page.write(o, results, skipped, " ".join(arguments()))
    if o.smoke:
        bad = smoke_check(o, results)
        for line in bad:
            print(f"FAIL: {line}")
        if not bad and not set(results) - set(ENGINE):
            print("skipped: no peer is installed (PyPI)")
            return 77
        return 1 if bad else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
