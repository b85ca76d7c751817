#!/usr/bin/env python3
"""plan, status and report of a real campaign against the published JSON
Schemas (jsonschema from PyPI; REA_CONTRACT holds schemas and toy project)."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

contract = os.environ.get("REA_CONTRACT")
try:
    import jsonschema
except ImportError:
    print("jsonschema is not installed and PyPI was not reachable: skipped")
    sys.exit(77)
if not contract:
    print("REA_CONTRACT is not set: skipped")
    sys.exit(77)
rea = os.path.abspath(os.environ.get("BUILD", "build")) + "/rea"


def run(where, *args):
    done = subprocess.run([rea, "-C", where, *args], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        print(args, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        sys.exit(1)
    return done.stdout


def check(name, text):
    with open(f"{contract}/{name}.schema.json") as f:
        schema = json.load(f)
    value = json.loads(text)
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(value))
    for e in errors[:10]:
        print(name, list(e.absolute_path), e.message)
    print(f"{name}: {len(errors)} errors, {len(text)} bytes")
    return value, not errors


with tempfile.TemporaryDirectory() as tmp:
    where = tmp + "/toy"
    shutil.copytree(contract + "/toy", where)
    plan, ok1 = check("plan", run(where, "plan", "--json"))
    _, ok2 = check("status", run(where, "status", "--json"))
    run(where, "approve", plan["hash"])
    run(where, "run", "--wait", "-q")
    _, ok3 = check("status", run(where, "status", "--json"))
    report, ok4 = check("report", run(where, "report", "--json"))
    tried = sum(1 for h in report["hypotheses"] if h["trials"] > 0)
    print(f"{tried} hypotheses tried, {len(report['trials'])} trials")
    sys.exit(0 if ok1 and ok2 and ok3 and ok4 and tried > 0 else 1)
