#!/usr/bin/env python3
"""src/math against SciPy: 4,000 seeded values of distributions and bounds."""
import json
import os
import subprocess
import sys

try:
    from scipy import special, stats
except ImportError:
    print("SciPy is not installed and PyPI was not reachable: skipped")
    sys.exit(77)

f = {
    "norm.cdf": lambda a, b, c: stats.norm.cdf(a),
    "norm.logcdf": lambda a, b, c: stats.norm.logcdf(a),
    "norm.ppf": lambda a, b, c: stats.norm.ppf(a),
    "t.cdf": lambda a, b, c: stats.t.cdf(a, b),
    "t.ppf": lambda a, b, c: stats.t.ppf(a, b),
    "chi2.ppf": lambda a, b, c: stats.chi2.ppf(a, b),
    "f.ppf": lambda a, b, c: stats.f.ppf(a, b, c),
    "betainc": lambda a, b, c: special.betainc(a, b, c),
    "gammainc": lambda a, b, c: special.gammainc(a, b),
    "binom.upper": lambda a, b, c: stats.beta.ppf(c, a + 1, b - a),
}
build = os.environ.get("BUILD", "build")
out = subprocess.run([build + "/test/math_dump"], check=True, text=True,
                     capture_output=True).stdout.splitlines()
worst = {}
for line in out:
    r = json.loads(line)
    want = f[r["f"]](r["a"], r["b"], r["c"])
    error = abs(r["value"] - want) / max(abs(want), 1e-30)
    if abs(r["value"] - want) < 1e-14:
        error = 0.0
    worst[r["f"]] = max(worst.get(r["f"], 0.0), error)
for name, error in sorted(worst.items()):
    print(f"{name:12s} worst relative error {error:.2e}")
sys.exit(0 if len(out) == 4000 and max(worst.values()) < 1e-7 else 1)
