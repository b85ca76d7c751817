"""Trials written by the real Optuna, MLflow and W&B, read by rea. Each part is
left out where its package does not import; with none of them: skipped (77)."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
REA = os.path.join(os.path.abspath(BUILD), "rea")
# gains of the grid below: what every reader must find
TRUTH = {("lr", "0.001", "0.01"): 0.01, ("opt", "adam", "sgd"): -0.02}


def value(lr, opt, seed):
    return 0.7 + 0.01 * (lr > 0.005) - 0.02 * (opt == "sgd") + 1e-4 * seed


GRID = [(lr, opt, seed) for lr in (0.001, 0.01) for opt in ("adam", "sgd")
        for seed in (1, 2)]


def rea(folder, *args):
    out = subprocess.run([REA, "-C", folder, "--json", *args], text=True,
                         capture_output=True)
    if out.returncode != 0:
        raise SystemExit(f"{args}: {out.stderr}")
    return json.loads(out.stdout)


def check(name, folder, *args):
    first = rea(folder, "insight", "import", *args)
    again = rea(folder, "insight", "import", *args)
    assert first["trials"] == len(GRID) and first["bad"] == 0, (name, first)
    assert again["added"] == 0 and again["trials"] == 0, (name, again)
    rows = rea(folder, "insight", "list", "--own")["insights"]
    got = {(r["knob"], r["from"], r["to"]): r for r in rows}
    for change, gain in TRUTH.items():
        assert abs(got[change]["effect"] - gain) < 1e-9, (name, got[change])
        assert got[change]["lo"] < gain < got[change]["hi"], (name, change)
    print(f"ok {name}: {first['added']} rows of {first['trials']} trials")


def optuna_part(work):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = os.path.join(work, "journal.log")
    rdb = os.path.join(work, "optuna.db")
    for path, storage in (
            (journal, JournalStorage(JournalFileBackend(journal))),
            (rdb, "sqlite:///" + rdb)):
        study = optuna.create_study(storage=storage, study_name="grid",
                                    direction="maximize")
        for lr, opt, seed in GRID:
            study.enqueue_trial({"lr": lr, "opt": opt, "seed": seed})

        def objective(trial):
            return value(trial.suggest_float("lr", 1e-4, 1, log=True),
                         trial.suggest_categorical("opt", ["adam", "sgd"]),
                         trial.suggest_int("seed", 0, 9))
        study.optimize(objective, n_trials=len(GRID))
        folder = path + ".ws"
        os.makedirs(folder + "/.rea")
        check("optuna " + os.path.basename(path), folder, path)


def mlflow_part(work):
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow
    mlflow.set_tracking_uri("file:" + work + "/mlruns")
    mlflow.set_experiment("ctr")
    for lr, opt, seed in GRID:
        with mlflow.start_run():
            mlflow.log_params({"lr": lr, "opt": opt, "seed": seed})
            mlflow.log_metric("auc", 0.1, step=0)
            mlflow.log_metric("auc", value(lr, opt, seed), step=1)
    folder = work + "/mlflow.ws"
    os.makedirs(folder + "/.rea")
    check("mlflow", folder, work + "/mlruns", "--metric=auc")


def wandb_part(work):
    os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true",
                      WANDB_DIR=work)
    import wandb
    for lr, opt, seed in GRID:
        run = wandb.init(project="ctr",
                         config={"lr": lr, "opt": opt, "seed": seed})
        run.log({"auc": 0.1})
        run.log({"auc": value(lr, opt, seed)})
        run.finish()
    folder = work + "/wandb.ws"
    os.makedirs(folder + "/.rea")
    check("wandb", folder, work + "/wandb", "--metric=auc")


def main():
    work = tempfile.mkdtemp(prefix="rea-insight-peers-")
    done = 0
    try:
        for part in (optuna_part, mlflow_part, wandb_part):
            try:
                part(work)
                done += 1
            except ImportError as e:
                print(f"left out: {e}")
    finally:
        shutil.rmtree(work)
    sys.exit(0 if done else 77)


if __name__ == "__main__":
    main()
