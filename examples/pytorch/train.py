#!/usr/bin/env python3
"""A small PyTorch ranking model that knows nothing of rea: options by argparse,
one JSON line of metrics an epoch, a checkpoint on SIGTERM, exact resume of
weights and optimiser. Data: libffm files, or made on the spot without --data.
"""
import argparse
import json
import os
import random
import signal
import sys

# Before the slow import, so that an early SIGTERM is not lost on the program.
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))

import torch  # noqa: E402
from torch import nn  # noqa: E402


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--data", help="folder of split.{train,valid,test}.ffm")
    p.add_argument("--metrics", default="metrics.jsonl")
    p.add_argument("--checkpoint", default="last.pt")
    p.add_argument("--resume")
    p.add_argument("--epochs", type=int, default=4)
    p.add_argument("--lr", type=float, default=1e-3, help="learning rate")
    p.add_argument("--dim", type=int, default=8, help="embedding size")
    p.add_argument("--hidden", type=int, default=64, help="hidden units")
    p.add_argument("--dropout", type=float, default=0.0)
    p.add_argument("--batch-norm", action="store_true")
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def read_ffm(path):
    rows, labels = [], []
    for line in open(path):
        label, *pairs = line.split()
        labels.append(float(label))
        rows.append([int(p.split(":")[1]) for p in pairs])
    return torch.tensor(rows), torch.tensor(labels)


def make(n, seed):
    """Clicks with a planted interaction of two of six fields. Synthetic."""
    r = random.Random(seed)
    rows, labels = [], []
    for _ in range(n):
        ids = [f * 50 + min(49, int(r.expovariate(0.1))) for f in range(6)]
        z = 0.04 * ((ids[0] % 50) - (ids[1] % 50)) - 0.3 * (ids[2] % 3)
        z += 0.8 if (ids[3] + ids[4]) % 2 else -0.8
        rows.append(ids)
        labels.append(float(r.random() < 1 / (1 + 2.718281828**-z)))
    return torch.tensor(rows), torch.tensor(labels)


class Model(nn.Module):
    def __init__(self, ids, fields, a):
        super().__init__()
        self.emb = nn.Embedding(ids, a.dim)
        self.lin = nn.Embedding(ids, 1)
        layers = [nn.Linear(fields * a.dim, a.hidden)]
        if a.batch_norm:
            layers.append(nn.BatchNorm1d(a.hidden))
        layers += [nn.ReLU(), nn.Dropout(a.dropout), nn.Linear(a.hidden, 1)]
        self.deep = nn.Sequential(*layers)
        nn.init.normal_(self.emb.weight, std=0.01)
        nn.init.zeros_(self.lin.weight)

    def forward(self, x):
        e = self.emb(x)
        fm = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1)
        return self.lin(x).sum((1, 2)) + fm + self.deep(e.flatten(1)).squeeze(1)


def auc(scores, labels):
    order = torch.argsort(scores)
    rank = torch.empty(len(scores), dtype=torch.float64)
    rank[order] = torch.arange(1, len(scores) + 1, dtype=torch.float64)
    pos = labels.double().sum()
    neg = len(labels) - pos
    return float((rank[labels > 0].sum() - pos * (pos + 1) / 2) / (pos * neg))


def main():
    a = arguments()
    torch.manual_seed(a.seed)
    torch.set_num_threads(1)
    if a.data:
        sets = [read_ffm(f"{a.data}/split.{s}.ffm") for s in ("train", "valid", "test")]
    else:
        sets = [make(n, s) for n, s in ((8000, 11), (4000, 12), (4000, 13))]
    (x, y), (vx, vy), (tx, ty) = sets
    ids = int(max(t.max() for t in (x, vx, tx))) + 1
    model = Model(ids, x.shape[1], a)
    opt = torch.optim.Adam(model.parameters(), lr=a.lr)
    first = 0
    if a.resume:
        state = torch.load(a.resume)
        model.load_state_dict(state["model"])
        opt.load_state_dict(state["opt"])
        torch.set_rng_state(state["rng"])
        first = state["epoch"]
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(first, a.epochs):
        model.train()
        for batch in torch.randperm(len(x)).split(256):
            opt.zero_grad()
            loss_fn(model(x[batch]), y[batch]).backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            v, t = model(vx), model(tx)
        line = {"step": epoch + 1, "valid.auc": auc(v, vy),
                "valid.logloss": float(loss_fn(v, vy)), "test.auc": auc(t, ty)}
        with open(a.metrics, "a") as f:
            f.write(json.dumps(line) + "\n")
        state = {"model": model.state_dict(), "opt": opt.state_dict(),
                 "rng": torch.get_rng_state(), "epoch": epoch + 1}
        torch.save(state, a.checkpoint + ".tmp")
        os.replace(a.checkpoint + ".tmp", a.checkpoint)
        if stop and epoch + 1 < a.epochs:
            sys.exit(85)


if __name__ == "__main__":
    main()
