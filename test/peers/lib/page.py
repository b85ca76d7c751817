"""Tables, checks and the page of the peers' comparison. Called by
replay_peers.py; every figure comes from the runs that it is given."""
import importlib.metadata
import math
import os
import platform
import time

import svg

MARKS = (5, 10, 20, 40, 60)
WORST = (1.1, .01)  # the allowed multiple of random's regret, and what is added


def versions():
    out = {}
    for name in ("optuna", "torch", "scipy", "smac", "ConfigSpace",
                 "scikit-learn", "numpy"):
        try:
            out[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return out


def mean(xs):
    xs = list(xs)
    return sum(xs) / len(xs)


def trials_to(regret, level):
    """Trials until the named incumbent reaches the level and keeps it; one
    more than the budget when it never does."""
    n = len(regret)
    while n > 0 and regret[n - 1] <= level:
        n -= 1
    return n + 1


def geometric(runs, level):
    return math.exp(mean(math.log(trials_to(r["regret"], level))
                         for r in runs))


def curve(runs):
    n = min(len(r["regret"]) for r in runs)
    return [mean(r["regret"][i] for r in runs) for i in range(n)]


def names(results):
    return sorted({r["dataset"] for runs in results.values() for r in runs})


def of(runs, name):
    return [r for r in runs if r["dataset"] == name]


def by_dataset_mean(runs, f):
    """Every dataset weighs the same."""
    return mean(f(of(runs, n)) for n in sorted({r["dataset"] for r in runs}))


def summary(runs):
    c = curve(runs)
    return [c[min(m, len(c)) - 1] for m in MARKS] + \
        [geometric(runs, .2), geometric(runs, .1)]


def overall(results):
    head = [f"@{m}" for m in MARKS] + ["to .2", "to .1", "seeds"]
    lines = [f"| method | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for method, runs in results.items():
        s = summary(runs)
        seeds = len({r["seed"] for r in runs})
        cells = [f"{v:.3f}" for v in s[:5]] + [f"{v:.1f}" for v in s[5:]]
        lines.append(f"| {method} | {' | '.join(cells)} | {seeds} |")
    return lines


def by_dataset(results):
    lines = []
    for name in names(results):
        lines += ["", f"**{name}**", "",
                  "| method | @5 | @10 | @20 | @40 | @60 | to .2 | to .1 |",
                  "|---|---|---|---|---|---|---|---|"]
        for method, runs in results.items():
            s = summary(of(runs, name))
            cells = [f"{v:.3f}" for v in s[:5]] + [f"{v:.1f}" for v in s[5:]]
            lines.append(f"| {method} | {' | '.join(cells)} |")
    return lines


def worst(results, method):
    """(violations, places, the worst one) of the regret against random's by
    dataset and budget 5.., on common seeds; None without random."""
    if "random" not in results or method not in results:
        return None
    out = []
    x, y = common(results, method, "random")
    for name in names(results):
        mine, rand = curve(of(x, name)), curve(of(y, name))
        for n in range(5, min(len(mine), len(rand)) + 1):
            a, b = mine[n - 1], rand[n - 1]
            out.append((a - (WORST[0] * b + WORST[1]), name, n, a, b))
    return sum(x[0] > 0 for x in out), len(out), max(out)


def worst_lines(results):
    lines = []
    for method in results:
        w = worst(results, method)
        if w is None or method == "random":
            continue
        _, name, n, a, b = w[2]
        seeds = len({r["seed"] for r in common(results, method, "random")[0]})
        lines.append(f"| {method} | {w[0]} of {w[1]} | {name} after {n}: "
                     f"{a:.3f}, random {b:.3f} | {seeds} |")
    if lines:
        lines = ["| method | above 1.1 x random + .01 | worst place | seeds |",
                 "|---|---|---|---|"] + lines
    return lines


def tables(results):
    return "\n".join(overall(results) + [""] + worst_lines(results) +
                     by_dataset(results))


# ---- the honest reading ----

def common(results, a, b):
    """Runs of a and b on the seeds that both have."""
    seeds = {r["seed"] for r in results[a]} & {r["seed"] for r in results[b]}
    return [[r for r in results[m] if r["seed"] in seeds] for m in (a, b)]


def paired(x, y, at):
    """Means after `at` trials, and the standard error of their difference
    over pairs of one dataset and seed (datasets held fixed)."""
    def value(runs):
        return {(r["dataset"], r["seed"]):
                r["regret"][min(at, len(r["regret"])) - 1] for r in runs}
    a, b = value(x), value(y)
    gap = {k: a[k] - b[k] for k in a}
    var = 0
    for name in {k[0] for k in gap}:
        g = [v for k, v in gap.items() if k[0] == name]
        m = mean(g)
        if len(g) > 1:
            var += sum((v - m) ** 2 for v in g) * len(g) / (len(g) - 1)
    return mean(a.values()), mean(b.values()), math.sqrt(var) / len(gap)


def beside(results, mine, group):
    """Rows of mine beside each peer of a group, on their common seeds."""
    lines = [f"| {mine} beside | trials to .2, ratio | to .1, ratio | " +
             " | ".join(f"@{m}" for m in MARKS) + " | seeds |",
             "|---" * (len(MARKS) + 4) + "|"]
    for peer in group:
        x, y = common(results, mine, peer)
        cells = [f"{geometric(x, v) / geometric(y, v):.2f}" for v in (.2, .1)]
        for at in MARKS:
            a, b, se = paired(x, y, at)
            cells.append(f"{a - b:+.3f} +- {se:.3f}")
        lines.append(f"| {peer} | {' | '.join(cells)} | "
                     f"{len({r['seed'] for r in x})} |")
    return lines


def behind(results, group):
    """Places where rea is more than two standard errors and .01 behind."""
    lose = []
    for name in names(results):
        for at in MARKS:
            for peer in group:
                x, y = common(results, "rea", peer)
                a, b, se = paired(of(x, name), of(y, name), at)
                if len(of(x, name)) > 2 and a - b > max(.01, 2 * se):
                    lose.append(f"{name} after {at}: {a:.3f}, {peer} {b:.3f}")
    return ["Where rea loses to a peer with the same predictions (more than "
            ".01 and two standard errors behind): " +
            ("; ".join(lose) if lose else "nowhere in these runs") + "."]


def reading(results):
    """rea beside each peer: below 1 and below 0 rea is better."""
    if "rea" not in results:
        return []
    warm = [m for m in results if m.endswith("-top5") or m == "prior"]
    cold = [m for m in results if m not in ("rea", "rea-cold") and
            m not in warm]
    lines = ["Ratios below 1 and differences of mean regret below 0 say that "
             "rea is better.", ""]
    if warm:
        lines += beside(results, "rea", warm + [m for m in cold if m == "tpe"])
    if "rea-cold" in results and cold:
        lines += [""] + beside(results, "rea-cold", cold)
    return lines + [""] + behind(results, warm)


FIDELITY = "peers-fidelity.md"

HOW = """\
One harness, `build/bench-replay`: for each dataset the recorded configurations
are the candidates; a trial looks one up and adds seed noise that is redrawn for
each run (the k-th run of a candidate is the same draw for every method of a
seed). All start from the same configuration around the median. After each trial
the method names an incumbent: the best mean measured, and for rea what its
process says (it may run one again; no peer does). Regret is (best - recorded value of the incumbent) / (best -
median), 0 = the best recorded configuration, 1 = the median one. Trials to .2
and .1 count until the named incumbent reaches the level *and keeps it*
(geometric means; one more than the budget where it never does). Predictions
come from other families of datasets only.

How a peer is held to recorded configurations: `tpe` and `tpe-mv` (multivariate
and group) propose in their own conditional space, and the nearest untried
configuration of the same model is run; `tpe-own` (multivariate and group),
`gp` and `smac` maximise their own acquisition over the untried configurations,
which spares them the loss of rounding. `-top5` enqueues the start and the five
best predicted first; `prior` runs them all in the order of the predictions,
whatever it measures. GPSampler knows no conditional knobs: those that are not
active stand at the start's value. SMAC has its conditions declared and its
forest fitted after each trial. `greedy` changes one knob of the best so far and
keeps what looks better. CMA-ES is not here: knobs are mostly choices that hang
on the model, which it cannot search (Optuna's falls back to random draws).
HEBO is not here: it pins numpy below 1.25, which no other peer runs with.

The slow peers have fewer seeds; comparisons are made on the seeds that both
have, and +- is the standard error over pairs of one dataset and seed. What
was compared with most seeds is to be believed most."""


def write(o, results, skipped, arguments):
    plot = os.path.splitext(o.page)[0] + ".svg"
    curves = {m: curve(runs) for m, runs in results.items()}
    with open(plot, "w") as f:
        f.write(svg.plot(curves, "trials", "mean normalised regret"))
    n = len(names(results))
    text = ["# Search beside other tuners", "",
            f"Made by `python3 test/peers/replay_peers.py {arguments}` on "
            f"{time.strftime('%Y-%m-%d')}: {n} datasets with "
            f">= {o.min_candidates} candidates, {o.budget} trials, noise "
            f"`{o.noise}`. " + ", ".join(
                f"{k} {v}" for k, v in versions().items()) +
            f", Python {platform.python_version()}.", "",
            f"![regret by trials]({os.path.basename(plot)})", ""]
    text += overall(results) + ["", "## Reading", ""] + reading(results)
    for method, lack in skipped.items():
        text.append(f"- Not run: {method} ({lack} is not installed).")
    text += ["", "## Worst dataset, at any budget from 5 on", ""]
    text += worst_lines(results) + ["", "## How", "", HOW, ""]
    beside = os.path.join(os.path.dirname(o.page), FIDELITY)
    if os.path.exists(beside):
        with open(beside) as f:
            text += [f.read().rstrip(), ""]
    text += ["## By dataset"] + by_dataset(results)
    with open(o.page, "w") as f:
        f.write("\n".join(text) + "\n")
