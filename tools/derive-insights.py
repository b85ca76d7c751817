#!/usr/bin/env python3
"""Derives importable insights from the published BARS benchmark tables.

usage: derive-insights.py [--exclude NAME [--held-out OUT.tsv]] -o OUT.jsonl
                          HYPOTHESES.csv[.gz] [LEADERBOARD.csv ...]

HYPOTHESES holds recorded single changes (dataset, model, hp, from, to,
d_val_auc, d_test_auc); a LEADERBOARD holds one published result a method
(Model, AUC). --exclude leaves out every data set whose name starts so, for
benchmarks that must not know their own answers; --held-out writes the changes
left out, for tools/score-history.c. Only aggregates are written:
mean effect, spread between and inside data sets, counts. The source is BARS
(Zhu et al., SIGIR 2022, arXiv 2205.09626; Apache-2.0). The output depends on
the input alone."""

import argparse
import csv
import gzip
import json
import math
import os
import re
import statistics
import sys

DEFAULTS = {  # of every row; the reader of the file applies them
    "campaign": "bars", "metric": "auc", "status": "promoted",
    "source": "BARS open benchmark (Zhu et al., SIGIR 2022)",
    "reference": "arXiv:2205.09626", "date": "2022-05-19",
    "conditions": "grids around the benchmark authors' good regions",
}
CLIP = 6e-3  # 90 % of single changes are smaller: no crashed run may speak
CLIP_MODEL = 0.02  # a backbone against another

CONCEPT = {
    "learning_rate": "learning_rate", "batch_size": "batch_size",
    "embedding_regularizer": "embedding_regularizer",
    "regularizer": "embedding_regularizer",
    "net_regularizer": "net_regularizer",
    "net_dropout": "dropout", "dnn_dropout": "dropout",
    "afn_dropout": "dropout", "mlp1_dropout": "dropout",
    "mlp2_dropout": "dropout", "block1_dropout": "dropout",
    "block2_dropout": "dropout", "bottom_mlp_dropout": "dropout",
    "top_mlp_dropout": "dropout", "user_tower_dropout": "dropout",
    "item_tower_dropout": "dropout", "attention_dropout": "dropout",
    "att_dropout": "dropout",
    "dnn_hidden_units": "hidden_units", "afn_hidden_units": "hidden_units",
    "block1_hidden_units": "hidden_units",
    "block2_hidden_units": "hidden_units", "fs_hidden_units": "hidden_units",
    "attention_hidden_units": "hidden_units",
    "parallel_block_dim": "hidden_units", "gate_hidden_dim": "hidden_units",
    "logarithmic_neurons": "hidden_units",
    "num_cross_layers": "cross_layers", "crossing_layers": "cross_layers",
    "num_interaction_layers": "cross_layers", "im_order": "cross_layers",
    "cin_hidden_units": "cross_rank", "cin_layer_units": "cross_rank",
    "attention_layers": "layers", "gnn_layers": "layers",
    "stacked_transformer_layers": "layers", "parallel_num_blocks": "layers",
    "num_heads": "attention_heads", "attention_dim": "attention_dim",
    "batch_norm": "batch_norm", "mlp1_batch_norm": "batch_norm",
    "mlp2_batch_norm": "batch_norm", "im_batch_norm": "batch_norm",
    "layer_norm": "layer_norm", "emb_layernorm": "layer_norm",
    "use_residual": "residual", "use_wide": "linear_part",
    "use_fs": "gating", "use_regulation_module": "gating",
    "dnn_activations": "activation", "temperature": "temperature",
}

# A released model's name to the family that other trainers would call it.
FAMILY = {
    "WideDeep": "widedeep", "CrossNet": "dcn", "CrossNetv2": "dcnv2",
    "AutoInt+": "autoint", "AFN+": "afn", "HFM+": "hfm", "CIN": "xdeepfm",
    "FinalNet_1B": "finalnet", "FinalNet_2B": "finalnet",
    "APG_DCNv2": "dcnv2", "APG_DeepFM": "deepfm", "DNN": "dnn",
}


def family(model):
    return FAMILY.get(model, re.sub(r"[^a-z0-9]", "", model.lower()))


def place(dataset):
    """avazu_x1 and avazu_x4 are splits of one data set: one place."""
    return re.sub(r"_.*$", "", dataset)


def rows_of(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", newline="", encoding="utf-8") as f:
        yield from csv.DictReader(f)


def size(text):
    """A number, or the sum of a list's numbers; None when it is neither."""
    parts = re.findall(r"[-+0-9.eE]+", text)
    try:
        numbers = [float(p) for p in parts]
    except ValueError:
        return None
    if not numbers:
        return None
    return sum(numbers) if text.startswith("[") else numbers[0]


def short(x):
    return repr(float(f"{x:.4g}")).removesuffix(".0")


def decade(x):
    return 10.0 ** round(math.log10(x))


def bucket(concept, a, b):
    """(from, to, direction) of a change; None when it has no clear one."""
    if (a, b) in (("False", "True"),):
        return "false", "true", "on"
    if concept == "activation":
        a, b = a.lower(), b.lower()
        return (a, b, "set") if a != b else None
    if concept == "dropout":  # lists of one rate a layer: their mean
        a, b = (x if not x.startswith("[") else str(
            statistics.fmean(json.loads(x))) for x in (a, b))
    x, y = size(a), size(b)
    if x is None or y is None or x == y:
        return None
    if concept == "dropout":
        d = round(y - x, 1)
        return None if d == 0 else (short(round(x, 1)),
                                    short(round(x, 1) + d), f"{d:+.1f}")
    if x == 0:
        return "0", short(decade(y)), "on"
    if concept.endswith("regularizer"):
        r = round(math.log10(y / x) * 2) / 2
        if r == 0:
            return None
        f = decade(x)
        return short(f), short(f * 10 ** r), "x" + short(10 ** r)
    return short(x), short(y), "x" + short(y / x)


def summary(by_place, clip):
    """Moments over places: each place counts once, whatever its size."""
    means = [statistics.fmean(v) for v in by_place.values()]
    n = sum(len(v) for v in by_place.values())
    df = sum(len(v) - 1 for v in by_place.values())
    ss = sum(sum((x - m) ** 2 for x in v)
             for v, m in zip(by_place.values(), means))
    within = math.sqrt(ss / df) if df > 0 else 0.0
    mean = statistics.fmean(means)
    between = 0.0
    if len(means) > 1:
        noise = statistics.fmean(
            within ** 2 / len(v) for v in by_place.values())
        between = math.sqrt(max(0.0, statistics.variance(means) - noise))
    var = statistics.fmean(within ** 2 / len(v) for v in by_place.values())
    sd = math.sqrt(between ** 2 / len(means) + var / len(means))
    # what was clipped is known to be large, not how large
    clipped = sum(abs(x) >= clip for v in by_place.values() for x in v) / n
    return (mean, max(sd, 1e-4, clipped * clip / 2), between, within, n,
            len(means))


def emit(fam, concept, frm, to, direction, knob, by_place, clip=CLIP):
    """One row; what the reader derives (interval, verdict, statement, origin)
    and what the file's defaults say is left out."""
    mean, sd, between, within, n, places = summary(by_place, clip)
    row = {
        "concept": concept, "family": fam, "from": frm, "to": to,
        "direction": direction, "effect": round(mean, 6), "sd": round(sd, 6),
        "n": n, "places": places, "context": {"sets": sorted(by_place)},
    }
    if between > 0:
        row["between"] = round(between, 6)
    if within > 0:
        row["within"] = round(within, 6)
    if knob != concept:
        row["knob"] = knob
    return row


def changes(path, exclude):
    groups, knobs = {}, {}
    for r in rows_of(path):
        concept = CONCEPT.get(r["hp"])
        if concept is None or (exclude and r["dataset"].startswith(exclude)):
            continue
        b = bucket(concept, r["from"], r["to"])
        text = r["d_test_auc"] or r["d_val_auc"]
        if b is None or not text:
            continue
        d = max(-CLIP, min(CLIP, float(text)))
        key = (family(r["model"]), concept) + b
        groups.setdefault(key, {}).setdefault(
            place(r["dataset"]), []).append(d)
        knobs.setdefault(key, r["hp"])
    for key, by_place in groups.items():
        if sum(len(v) for v in by_place.values()) >= 2:
            yield emit(*key, knobs[key], by_place)


def held_out(path, exclude, out):
    with open(out, "w", encoding="utf-8") as f:
        for r in rows_of(path):
            concept = CONCEPT.get(r["hp"])
            if concept is None or not r["dataset"].startswith(exclude):
                continue
            b = bucket(concept, r["from"], r["to"])
            if b is not None:
                f.write("\t".join((family(r["model"]), concept) + b + (
                    r["d_test_auc"] or r["d_val_auc"],)) + "\n")


def backbones(paths, exclude):
    """The published AUC of one backbone against another, by data set."""
    auc = {}
    for path in paths:
        name = os.path.basename(path).removesuffix(".gz")
        if exclude and name.startswith(exclude):
            continue
        for r in rows_of(path):
            if r.get("AUC"):
                key = (place(name.removesuffix(".csv")), family(r["Model"]))
                auc.setdefault(key, {}).setdefault(name, float(r["AUC"]))
    models = sorted({m for _, m in auc})
    for a in models:
        for b in models:
            by_place = {}
            for p in sorted({p for p, _ in auc}):
                x, y = auc.get((p, a), {}), auc.get((p, b), {})
                both = [max(-CLIP_MODEL, min(CLIP_MODEL, y[f] - x[f]))
                        for f in x if f in y]
                if both:
                    by_place[p] = both
            if a < b and len(by_place) >= 3:
                yield emit(a, "model", a, b, "set", "model", by_place,
                           CLIP_MODEL)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("-o", "--out", required=True)
    p.add_argument("--exclude", default="")
    p.add_argument("--held-out", default="")
    p.add_argument("hypotheses")
    p.add_argument("leaderboard", nargs="*")
    a = p.parse_args()
    if a.held_out:
        held_out(a.hypotheses, a.exclude, a.held_out)
    out = list(changes(a.hypotheses, a.exclude))
    out += backbones(a.leaderboard, a.exclude)
    if not out:
        sys.exit("derive-insights: no change could be read from the tables")
    out.sort(key=lambda r: (r["concept"], r["family"], r["from"], r["to"]))
    with open(a.out, "w", encoding="utf-8") as f:
        for r in [{"defaults": DEFAULTS}] + out:
            f.write(json.dumps(r, sort_keys=True, separators=(",", ":")))
            f.write("\n")
    print(f"{a.out}: {len(out)} insights, {os.path.getsize(a.out)} bytes")


if __name__ == "__main__":
    main()
