# PyTorch beside bench-trainer.sh: rows a second of one model on the same rows,
# one thread. Usage: bench-trainer-torch.py MODEL FILE.ffm
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
DIM, BATCH = 16, 512


def rows_read(path, limit=100000):
    ids, labels = [], []
    with open(path) as f:
        for line in f:
            words = line.split()
            labels.append(float(words[0]))
            ids.append([int(w.split(":")[1]) for w in words[1:]])
            if len(ids) == limit:
                break
    return torch.tensor(ids), torch.tensor(labels)


class Model(nn.Module):
    def __init__(self, name, ids, fields):
        super().__init__()
        width = DIM * fields
        self.name = name
        self.linear = nn.Embedding(ids, 1, sparse=True)
        self.vectors = nn.Embedding(ids, DIM, sparse=True)
        self.deep = nn.Sequential(
            nn.Linear(width, 128), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 1))
        self.cross = nn.ModuleList([nn.Linear(width, width) for _ in range(2)])
        self.out = nn.Linear(width, 1)

    def forward(self, ids):
        z = self.linear(ids).sum((1, 2))
        if self.name == "lr":
            return z
        v = self.vectors(ids)
        if self.name in ("fm", "deepfm"):
            z = z + 0.5 * (v.sum(1) ** 2 - (v ** 2).sum(1)).sum(1)
        x0 = v.flatten(1)
        if self.name in ("deepfm", "dcnv2"):
            z = z + self.deep(x0).squeeze(1)
        if self.name == "dcnv2":
            x = x0
            for layer in self.cross:
                x = x0 * layer(x) + x
            z = z + self.out(x).squeeze(1)
        return z


def main():
    name, path = sys.argv[1:3]
    if name == "ffm":
        print("-")
        return
    ids, labels = rows_read(path)
    model = Model(name, int(ids.max()) + 1, ids.shape[1])
    step = torch.optim.Adagrad(model.parameters(), lr=0.02)
    loss_of = nn.BCEWithLogitsLoss()
    start, seen = time.process_time(), 0
    for i in range(0, len(ids) - BATCH, BATCH):
        step.zero_grad()
        loss_of(model(ids[i:i + BATCH]), labels[i:i + BATCH]).backward()
        step.step()
        seen += BATCH
    print(round(seen / (time.process_time() - start)))


main()
