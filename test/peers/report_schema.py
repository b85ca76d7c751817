#!/usr/bin/env python3
"""The JSON of plan, status and report of simulated campaigns (one that ends in
a proposal, one where nothing held, one that still runs) against the contract's
JSON Schemas. The unit test of the report leaves them in REA_REPORT_OUT."""
import json
import os
import subprocess
import sys
import tempfile


def main():
    schemas = os.environ.get("REA_CONTRACT")
    test = os.environ.get("BUILD", "build") + "/test/unit/test_report"
    try:
        import jsonschema
    except ImportError:
        print("jsonschema is not installed and PyPI was not reachable: skipped")
        return 77
    if not schemas:
        print("REA_CONTRACT is not set: skipped")
        return 77
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
