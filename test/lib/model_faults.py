#!/usr/bin/env python3
"""The long parts of test/flow/model-faults.sh: 200 questions over a mix of
faults, budgets, and kill -9 at many points. Arguments: the folder with the
test programs, the server's port, its log, a working folder."""
import json
import os
import subprocess
import sys
import threading

programs, port, log, work = sys.argv[1:5]
PRICE_IN, PRICE_OUT = 3.0, 15.0
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 40},
        "mean": {"type": "number", "minimum": 0, "maximum": 1},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]},
                 "minItems": 1, "maxItems": 3}},
    "required": ["name", "mean", "tags"],
    "additionalProperties": False,
}
CLEAN = {"refused", "invalid", "truncated", "unreachable", "no money"}
failures = []


def check(ok, text):
    if not ok:
        failures.append(text)
        print("FAILED:", text)


def satisfies(v):
    return (isinstance(v, dict) and set(v) == {"name", "mean", "tags"}
            and isinstance(v["name"], str) and 2 <= len(v["name"]) <= 40
            and isinstance(v["mean"], (int, float)) and 0 <= v["mean"] <= 1
            and isinstance(v["tags"], list) and 1 <= len(v["tags"]) <= 3
            and all(t in ("a", "b") for t in v["tags"]))


def line(i, text="question"):
    return json.dumps({
        "purpose": "test", "schema": SCHEMA, "schema_name": "idea",
        "max_tokens": 512,
        "messages": [{"role": "system", "text": "You propose."},
                     {"role": "user", "text": f"{text} number {i}"}]}) + "\n"


def settings(path, dialect="chat", **more):
    s = {"provider": "anthropic" if dialect == "messages" else "openai",
         "dialect": dialect, "base_url": f"http://127.0.0.1:{port}/{path}/v1",
         "haste": 50, "price_in": PRICE_IN, "price_out": PRICE_OUT,
         "model": "m", "timeout_ms": 20000}
    s.update(more)
    return json.dumps(s)


def ask(root, conf, lines, before=(), env=None):
    os.makedirs(root, exist_ok=True)
    return subprocess.run(
        [*before, programs + "/model_ask", root, conf], input="".join(lines),
        text=True, capture_output=True, timeout=300,
        env={**os.environ, **(env or {})})


def spent(root, conf):
    out = subprocess.run([programs + "/model_ask", "--spent", root, conf],
                         text=True, capture_output=True, timeout=60).stdout
    return json.loads(out)


def served():
    with open(log) as f:
        return [json.loads(x) for x in f]


def dollars(rows):
    return sum(r["in"] * PRICE_IN + r["out"] * PRICE_OUT for r in rows) / 1e6


def statuses(replies):
    count = {}
    for r in replies:
        count[r["status"]] = count.get(r["status"], 0) + 1
    return dict(sorted(count.items()))


def mix():
    """200 questions, every dialect, streamed and in one piece."""
    forms = [("chat", True), ("chat", False), ("responses", True),
             ("messages", True)]
    total, good = [], 0
    faults = {}
    for k, (dialect, stream) in enumerate(forms):
        root, begun = f"{work}/mix{k}", len(served())
        conf = settings(f"mix-{k}", dialect, stream=stream)
        done = ask(root, conf, [line(i) for i in range(50)])
        check(done.returncode == 0, f"mix {k}: {done.stderr[-500:]}")
        replies = [json.loads(x) for x in done.stdout.splitlines()]
        check(len(replies) == 50, f"mix {k}: {len(replies)} replies")
        for r in replies:
            ok = satisfies(r["json"]) if r["status"] == "ok" else (
                r["status"] in CLEAN and r["json"] is None and r["why"])
            good += bool(ok)
            check(ok, f"mix {k}: {r}")
        rows = served()[begun:]
        for r in rows:
            faults[r["fault"]] = faults.get(r["fault"], 0) + 1
        s = spent(root, conf)
        check(s["usd"] + s["reserved_usd"] >= dollars(rows) - 1e-12,
              f"mix {k}: ledger {s} below what was served {dollars(rows)}")
        total += replies
    check(good == 200, f"only {good} of 200 are valid or a clean fall-back")
    check(len(faults) == 24, f"only {len(faults)} kinds of fault: {faults}")
    print(f"200 questions: {statuses(total)}; {sum(faults.values())} requests,"
          f" {len(faults)} kinds of reply")
    print("  " + " ".join(f"{k} {v}" for k, v in sorted(faults.items())))


def budgets():
    """Money and tokens run out in the middle: never exceeded, not by one."""
    for k, limit in enumerate([{"budget_usd": 0.05}, {"budget_tokens": 9000},
                               {"budget_usd": 0.0001}]):
        root, begun = f"{work}/budget{k}", len(served())
        conf = settings(f"mix-b{k}", **limit)
        done = ask(root, conf, [line(i) for i in range(60)])
        replies = [json.loads(x) for x in done.stdout.splitlines()]
        rows, s = served()[begun:], spent(root, conf)
        check(len(replies) == 60, f"budget {k}: {len(replies)} replies")
        check(any(r["status"] == "no money" for r in replies),
              f"budget {k}: never out of money {s}")
        tokens = sum(r["in"] + r["out"] for r in rows)
        check(dollars(rows) <= limit.get("budget_usd", 9e9), f"budget {k}")
        check(tokens <= limit.get("budget_tokens", 9e9), f"budget {k}")
        check(s["usd"] + s["reserved_usd"] <=
              limit.get("budget_usd", 9e9) + 1e-12, f"budget {k}: {s}")
        check(s["tokens"] + s["reserved_tokens"] <=
              limit.get("budget_tokens", 9e9), f"budget {k}: {s}")
        print(f"budget {limit}: {statuses(replies)}; served "
              f"{dollars(rows):.6f} usd, {tokens} tokens")


def kills(points):
    """kill -9 at system calls spread over the whole run, then resume."""
    lines = [line(i, "crash") for i in range(3)]
    probe = ask(f"{work}/probe", settings("ok,probe"), lines,
                [programs + "/kill_at", "0"])
    calls = int(probe.stderr.strip().splitlines()[-1])
    twice = killed = resumed = 0
    for p in range(points):
        at = 1 + p * (calls - 1) // points
        root, path = f"{work}/kill{p}", f"429ms,ok,kill{p}"
        begun, conf = len(served()), settings(path)
        first = ask(root, conf, lines, [programs + "/kill_at", str(at)])
        killed += first.returncode == 0
        told = first.stdout.count("\n")
        done = ask(root, conf, lines)
        check(done.returncode == 0, f"kill {p}: {done.stderr[-300:]}")
        replies = [json.loads(x) for x in done.stdout.splitlines()]
        check([r["status"] for r in replies] == ["ok"] * 3,
              f"kill {p} at {at}: {statuses(replies)}")
        check(all(r["from_record"] for r in replies[:told]),
              f"kill {p}: what had been told is asked again")
        rows = served()[begun:]
        paid = {}
        for r in rows:
            if r["out"] > 0:
                paid[r["key"]] = paid.get(r["key"], 0) + 1
        again = sum(n - 1 for n in paid.values())
        check(len(paid) == 3 and again <= 1,
              f"kill {p} at {at}: paid {paid}")
        s = spent(root, conf)
        check(s["usd"] + s["reserved_usd"] >= dollars(rows) - 1e-12,
              f"kill {p}: {s} below {dollars(rows)}")
        twice += again
        resumed += any(r["from_record"] for r in replies)
        # and once more: nothing is asked at all
        n = len(served())
        last = ask(root, conf, lines)
        check(len(served()) == n and last.returncode == 0 and
              all(json.loads(x)["from_record"]
                  for x in last.stdout.splitlines()), f"kill {p}: asked again")
    check(killed >= points * 0.9, f"only {killed} of {points} were killed")
    check(resumed > points // 5, f"only {resumed} resumed from the record")
    print(f"kill -9 at {killed} of {calls} system calls: all resumed, "
          f"{twice} replies in flight were paid again, none twice")


def tries(points):
    """The count of tries survives: a server that is down is not asked more
    often because its client was killed."""
    probe = ask(f"{work}/tries", settings("529,529,529,529,tries"), [line(0, "tries")],
                [programs + "/kill_at", "0"])
    calls = int(probe.stderr.strip().splitlines()[-1])
    more = 0
    for p in range(points):
        at = calls // 3 + p * (calls * 2 // 3) // points
        begun, conf = len(served()), settings(f"529,529,529,529,529,tries{p}")
        ask(f"{work}/tries{p}", conf, [line(0, "tries")],
            [programs + "/kill_at", str(at)])
        before = len(served()) - begun
        done = ask(f"{work}/tries{p}", conf, [line(0, "tries")])
        n = len(served()) - begun
        check(json.loads(done.stdout)["status"] == "unreachable",
              f"tries {p}: {done.stdout}")
        # 3, and one more where its answer was on its way when it was killed
        check(n in (3, 4) or before == n == 3, f"tries {p}: {n} requests")
        more += n == 4
    print(f"kill -9 between tries at {points} points: 3 requests in all, "
          f"4 at {more}")


def pair():
    """Two processes ask the same at once: one pays."""
    conf, lines, out = settings("slow,pair"), [line(0, "pair")], []
    begun = len(served())
    os.makedirs(f"{work}/pair", exist_ok=True)
    threads = [threading.Thread(target=lambda: out.append(
        ask(f"{work}/pair", conf, lines))) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    replies = [json.loads(r.stdout) for r in out]
    check(len(served()) - begun == 1, "several processes paid for one question")
    check(len({r["text"] for r in replies}) == 1 and
          sum(r["from_record"] for r in replies) == 3, f"pair: {replies}")
    print("4 processes, one question: 1 request")


mix()
budgets()
if int(os.environ.get("POINTS", "40")) > 0:
    kills(int(os.environ.get("POINTS", "40")))
    tries(8)
pair()
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
