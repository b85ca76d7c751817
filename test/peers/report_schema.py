#!/usr/bin/env python3
"""The JSON of plan, status and report against the contract's JSON Schemas.

usage: report_schema.py SCHEMAS TEST_REPORT
SCHEMAS holds {plan,status,report}.schema.json; TEST_REPORT is the unit test,
which leaves its outputs where REA_REPORT_OUT says. Needs jsonschema."""
import json
import os
import subprocess
import sys
import tempfile


def main():
    try:
        import jsonschema
    except ImportError:
        print("skip: python3-jsonschema is not installed")
        return 0
    schemas, test = sys.argv[1], sys.argv[2]
    if not os.path.isdir(schemas):
        print("skip: no schemas in", schemas)
        return 0
    bad = 0
    with tempfile.TemporaryDirectory() as out:
        env = dict(os.environ, REA_REPORT_OUT=out)
        subprocess.run([test], env=env, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for name in ("plan", "status", "report", "nothing", "running"):
            kind = name if name in ("plan", "status") else "report"
            with open(f"{schemas}/{kind}.schema.json") as f:
                schema = json.load(f)
            with open(f"{out}/{name}.json") as f:
                value = json.load(f)
            errors = list(jsonschema.Draft202012Validator(schema)
                          .iter_errors(value))
            for e in errors[:5]:
                print(f"{name}.json: {e.json_path}: {e.message}")
            bad += len(errors)
            print("ok  " if not errors else "BAD ", name)
        # The check itself must be able to fail.
        value.pop("baseline")
        assert list(jsonschema.Draft202012Validator(schema).iter_errors(value))
    return 1 if bad else 0


sys.exit(main())
