"""Peers that choose among recorded configurations, one class a way of
choosing. Called by replay_peers.py with one served problem. Each sees the
knobs as its users would declare them and every value that it asked for; none
sees the recorded truth. How each is held to known configurations:

  nearest  Optuna's TPE proposes in its own space, conditional knobs asked only
           where they exist; the proposal becomes the nearest untried
           configuration of the same model (unit distance of numbers, 1 for
           each other value that differs).
  own      the peer's own acquisition is maximised over the untried
           configurations instead of over the space: TPE (multivariate, group)
           by the sum of log l/g over its groups, GPSampler by its LogEI, SMAC
           by its EI on the random forest. This spares the peer the loss of
           rounding, and is the kinder way."""
import math

NUMERIC = (1, 2)  # float, int
ORDERED = (6,)    # list: its index
STARTUP = 10      # Optuna's and SMAC's random picks, where nothing is known


class Peer:
    """What all have in common: first picks, and what is still untried."""

    def __init__(self, problem, top5, rng):
        self.p = problem
        self.rng = rng
        self.knobs = problem["knobs"]
        self.candidates = problem["candidates"]
        self.unseen = set(range(len(self.candidates)))
        self.told = 0
        self.queue = [problem["start"]]
        if top5 and problem["prior"]:
            order = sorted(self.unseen, key=lambda i: -problem["prior"][i])
            self.queue += [i for i in order if i != problem["start"]][:5]

    def next(self):
        if not self.unseen:
            return self.p["start"]
        return self.queue.pop(0) if self.queue else self.propose()

    def random(self):
        left = sorted(self.unseen)
        return left[self.rng.randrange(len(left))]

    def told_of(self, i, value):
        self.unseen.discard(i)
        self.told += 1
        self.tell(i, value)

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

    def nearest(self, want):
        same = [i for i in self.unseen if self.candidates[i][0] == want[0]]
        return min(same or self.unseen,
                   key=lambda i: (self.gap(want, self.candidates[i]), i))


class Optuna(Peer):
    """A study that is told of candidates as finished trials."""

    def __init__(self, problem, top5, rng, sampler):
        import optuna
        super().__init__(problem, top5, rng)
        self.optuna = optuna
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self.dists = [self.dist(k) for k in self.knobs]

    def dist(self, knob):
        d = self.optuna.distributions
        if knob["kind"] in NUMERIC:
            return d.FloatDistribution(knob["lo"], knob["hi"],
                                       log=bool(knob["log"]))
        if knob["kind"] in ORDERED:
            return d.IntDistribution(0, knob["n"] - 1)
        return d.CategoricalDistribution(list(range(max(knob["n"], 1))))

    def params(self, i):
        return {str(k): v if self.knobs[k]["kind"] in NUMERIC else int(v)
                for k, v in enumerate(self.candidates[i]) if v is not None}

    def tell(self, i, value):
        params = self.params(i)
        self.study.add_trial(self.optuna.trial.create_trial(
            params=params, value=value,
            distributions={name: self.dists[int(name)] for name in params}))


class Tpe(Optuna):
    """TPE by its proposals: the nearest untried configuration."""

    def __init__(self, problem, top5, rng, many):
        import optuna
        super().__init__(problem, top5, rng, optuna.samplers.TPESampler(
            seed=problem["seed"], multivariate=many, group=many))
        self.active = {}
        for c in self.candidates:
            on = self.active.setdefault(c[0], set())
            on.update(k for k, v in enumerate(c) if v is not None)

    def suggest(self, trial, k):
        d, name, kind = self.dists[k], str(k), self.knobs[k]["kind"]
        if kind in NUMERIC:
            return trial.suggest_float(name, d.low, d.high, log=d.log)
        if kind in ORDERED:
            return trial.suggest_int(name, d.low, d.high)
        return trial.suggest_categorical(name, d.choices)

    def propose(self):
        trial = self.study.ask()
        want = {0: self.suggest(trial, 0)}
        for k in sorted(self.active[want[0]] - {0}):
            want[k] = self.suggest(trial, k)
        self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        return self.nearest(want)


class TpeOwn(Optuna):
    """TPE, multivariate and group, by its own l/g over the candidates."""

    def __init__(self, problem, top5, rng):
        import optuna
        super().__init__(problem, top5, rng, optuna.samplers.TPESampler(
            seed=problem["seed"], multivariate=True, group=True))
        self.groups = optuna.search_space._GroupDecomposedSearchSpace(True)

    def propose(self):
        if self.told < STARTUP:
            return self.random()
        import numpy as np
        from optuna.samplers._tpe import sampler as tpe
        s, study = self.study.sampler, self.study
        trials = study.get_trials(deepcopy=False)
        below, above = tpe._split_trials(
            study, trials, tpe.default_gamma(len(trials)))
        left = sorted(self.unseen)
        score = np.zeros(len(left))
        for space in self.groups.calculate(study).search_spaces:
            names = [n for n in sorted(space) if not space[n].single()]
            rows = [j for j, i in enumerate(left)
                    if all(self.candidates[i][int(n)] is not None
                           for n in names)]
            if not names or not rows:
                continue
            sub = {n: space[n] for n in names}
            good = s._build_parzen_estimator(study, sub, below, True)
            poor = s._build_parzen_estimator(study, sub, above, False)
            at = {n: np.array([sub[n].to_internal_repr(
                self.params(left[j])[n]) for j in rows]) for n in names}
            score[rows] += good.log_pdf(at) - poor.log_pdf(at)
        best = np.flatnonzero(score >= score.max())
        return left[int(best[self.rng.randrange(len(best))])]


class Gp(Optuna):
    """GPSampler by its own LogEI over the candidates. It has no conditional
    knobs: those that are not active stand at the value of the start."""

    def __init__(self, problem, top5, rng):
        import optuna
        import numpy as np
        outer = self

        class Sampler(optuna.samplers.GPSampler):
            def _optimize_acqf(self, acqf, best_params):
                left = sorted(outer.unseen)
                value = acqf.eval_acqf_no_grad(outer.points(left))
                outer.choice = left[int(np.argmax(value))]
                return outer.points([outer.choice])[0]

        super().__init__(problem, top5, rng, Sampler(
            seed=problem["seed"], deterministic_objective=False))
        self.single = {k for k, d in enumerate(self.dists) if d.single()}

    def params(self, i):
        start = self.candidates[self.p["start"]]
        full = {}
        for k, v in enumerate(self.candidates[i]):
            v = start[k] if v is None else v
            if v is None:
                v = self.knobs[k]["lo"]
            full[str(k)] = v if self.knobs[k]["kind"] in NUMERIC else int(v)
        return full

    def points(self, some):
        from optuna._gp.search_space import SearchSpace
        space = {n: self.dists[int(n)] for n in self.names}
        return SearchSpace(space).get_normalized_params(
            [None] * len(some), [self.params(i) for i in some])

    def propose(self):
        if self.told < STARTUP:
            return self.random()
        space = self.study.sampler.infer_relative_search_space(
            self.study, None)
        self.names = list(space)
        trial = self.study.ask()
        trial.relative_params  # drawn when first looked at
        self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        return self.choice


class Smac(Peer):
    """SMAC's random forest with its EI over the candidates, conditions
    declared; fitted again after each result."""

    def __init__(self, problem, top5, rng, scratch):
        import ConfigSpace as cs
        from smac import HyperparameterOptimizationFacade as Facade, Scenario
        from smac.acquisition.maximizer.abstract_acquisition_maximizer import (
            AbstractAcquisitionMaximizer)
        from smac.initial_design import RandomInitialDesign
        super().__init__(problem, top5, rng)
        self.space = self.declare(cs)
        self.configs = [cs.Configuration(self.space, values=self.values(i))
                        for i in range(len(self.candidates))]
        self.index = {c: i for i, c in enumerate(self.configs)}
        outer = self

        class Untried(AbstractAcquisitionMaximizer):
            def _maximize(self, previous_configs, n_points):
                left = [outer.configs[i] for i in sorted(outer.unseen)]
                return self._sort_by_acquisition_value(left)[:n_points]

        scenario = Scenario(self.space, deterministic=True, n_trials=100000,
                            seed=problem["seed"], output_directory=scratch)
        model = Facade.get_model(scenario)
        # the same forest, sooner: threads cost more than ten small trees, and
        # the default limit of a million leaves is memory that is never used
        model._rf_opts.update(n_jobs=1, max_leaf_nodes=4096)
        self.smac = Facade(
            scenario, lambda config, seed=0: 0, overwrite=True,
            logging_level=50, model=model,
            acquisition_maximizer=Untried(self.space),
            random_design=Facade.get_random_design(scenario, probability=0),
            config_selector=Facade.get_config_selector(
                scenario, retrain_after=1),
            initial_design=RandomInitialDesign(
                scenario, n_configs=0,
                additional_configs=[self.configs[problem["start"]]]))

    def declare(self, cs):
        space = cs.ConfigurationSpace(seed=self.p["seed"])
        params = []
        for k, knob in enumerate(self.knobs):
            if knob["kind"] in NUMERIC:
                params.append(cs.Float(str(k), (knob["lo"], knob["hi"]),
                                       log=bool(knob["log"])))
            elif knob["kind"] in ORDERED:
                params.append(cs.Integer(str(k), (0, knob["n"] - 1)))
            else:
                params.append(cs.Categorical(
                    str(k), list(range(max(1, knob["n"])))))
        space.add(params)
        for k in range(1, len(params)):
            on = sorted({int(c[0]) for c in self.candidates
                         if c[k] is not None})
            if len(on) < len({c[0] for c in self.candidates}):
                space.add(cs.InCondition(params[k], params[0], on))
        return space

    def values(self, i):
        return {str(k): float(v) if self.knobs[k]["kind"] in NUMERIC
                else int(v)
                for k, v in enumerate(self.candidates[i]) if v is not None}

    def propose(self):
        if self.told < STARTUP:
            return self.random()
        info = self.smac.ask()
        if info.config in self.index and \
                self.index[info.config] in self.unseen:
            return self.index[info.config]
        return self.random()

    def tell(self, i, value):
        from smac.runhistory.dataclasses import TrialInfo, TrialValue
        self.smac.tell(TrialInfo(self.configs[i], seed=0),
                       TrialValue(cost=1 - value))


def make(method, problem, rng, scratch):
    """Peer of a method's name; raises ImportError where it is missing."""
    name, top5 = method.removesuffix("-top5"), method.endswith("-top5")
    if name in ("tpe", "tpe-mv"):
        return Tpe(problem, top5, rng, name == "tpe-mv")
    if name == "tpe-own":
        return TpeOwn(problem, top5, rng)
    if name == "gp":
        return Gp(problem, top5, rng)
    if name == "smac":
        return Smac(problem, top5, rng, scratch)
    raise SystemExit(f"no method {method}")
