#!/usr/bin/env python3
"""Optuna as a server of configurations for bench-headline: one JSON line in,
one out. The first line is the space; then ask, report, tell. The first trial
is the shipped defaults. Values are signed so that + is better. Conditional
knobs are sampled where they are active only."""
import json
import sys

FLOAT, INT, BOOL, CHOICE, SET, LIST = 1, 2, 3, 4, 5, 6
EQ, NE, HAS, AND, OR, NOT = 1, 2, 3, 4, 5, 6


def say(**answer):
    print(json.dumps(answer), flush=True)


def study_of(optuna, arm, seed):
    pruner = optuna.pruners.NopPruner()
    if arm == "tpe-median":
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5)
    elif arm == "tpe-asha":
        pruner = optuna.pruners.SuccessiveHalvingPruner()
    many = arm == "tpe-mv"
    sampler = optuna.samplers.TPESampler(
        seed=seed, multivariate=many, group=many)
    return optuna.create_study(
        direction="maximize", sampler=sampler, pruner=pruner)


class Space:
    def __init__(self, knobs):
        self.knobs = knobs

    def active(self, k, trial, codes):
        stack = []
        for op, knob, value in self.knobs[k]["when"]:
            if op in (EQ, NE, HAS):
                v = self.sample(knob, trial, codes)
                if op == HAS:
                    stack.append(bool(int(v) >> int(value) & 1))
                else:
                    stack.append((v == value) == (op == EQ))
            elif op == NOT:
                stack.append(not stack.pop())
            elif op in (AND, OR):
                b, a = stack.pop(), stack.pop()
                stack.append(a and b if op == AND else a or b)
            else:
                stack.append(True)
        return stack[-1] if stack else True

    def sample(self, k, trial, codes):
        if k in codes:
            return codes[k]
        knob = self.knobs[k]
        codes[k] = knob["default"]
        if not self.active(k, trial, codes):
            return codes[k]
        name, lo, hi = knob["name"], knob["lo"], knob["hi"]
        if knob["kind"] == FLOAT:
            v = trial.suggest_float(name, lo, hi, log=knob["log"])
            v = min(max(v, lo), hi)
        elif knob["kind"] == INT:
            v = trial.suggest_int(name, int(lo), int(hi), log=knob["log"])
        elif knob["kind"] == BOOL:
            v = trial.suggest_categorical(name, [0, 1])
        elif knob["kind"] == SET:
            v = sum(trial.suggest_categorical(f"{name}:{i}", [0, 1]) << i
                    for i in range(knob["n"]))
        else:
            v = trial.suggest_categorical(name, list(range(knob["n"])))
        codes[k] = float(v)
        return codes[k]

    def draw(self, trial):
        codes = {}
        for k in range(len(self.knobs)):
            self.sample(k, trial, codes)
        return [codes[k] for k in range(len(self.knobs))]

    def defaults(self):
        class Fixed:
            """Takes down what the defaults would suggest."""
            def __init__(self, knobs):
                self.p = {}
                self.d = {k["name"]: k["default"] for k in knobs}

            def suggest_float(self, name, lo, hi, log):
                return self.p.setdefault(name, self.d[name])

            def suggest_int(self, name, lo, hi, log):
                return self.p.setdefault(name, int(self.d[name]))

            def suggest_categorical(self, name, values):
                base, _, bit = name.partition(":")
                v = int(self.d[base])
                return self.p.setdefault(name, v >> int(bit) & 1 if bit else v)
        fixed = Fixed(self.knobs)
        self.draw(fixed)
        return fixed.p


def main():
    import optuna
    import warnings
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    head = json.loads(sys.stdin.readline())
    space = Space(head["knobs"])
    study = study_of(optuna, head["arm"], head["seed"])
    study.enqueue_trial(space.defaults())
    say(ready=optuna.__version__)
    trial = None
    for line in sys.stdin:
        q = json.loads(line)
        if q["op"] == "ask":
            trial = study.ask()
            say(codes=space.draw(trial))
        elif q["op"] == "report":
            trial.report(q["value"], q["step"])
            say(prune=bool(trial.should_prune()))
        else:
            state = {"ok": optuna.trial.TrialState.COMPLETE,
                     "pruned": optuna.trial.TrialState.PRUNED,
                     "failed": optuna.trial.TrialState.FAIL}[q["state"]]
            done = q["state"] == "ok"
            study.tell(trial, q["value"] if done else None, state=state)
            say(told=True)


if __name__ == "__main__":
    main()
