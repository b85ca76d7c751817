#!/usr/bin/env python3
"""The TOML reader against Python's tomllib: a table of documents, generated
documents and mutations of both must be accepted or refused alike, and read to
the same values. Usage: toml_vs_tomllib.py [PROGRAM] [COUNT] [SEED]"""
import datetime
import json
import math
import os
import random
import subprocess
import sys
import tomllib

VALID = [
    "", "\n\n", "# only a comment", "a=1", "a = 1 # c", "a=1\r\nb=2\r\n",
    'a = "x"', "a = 'x\\n'", 'a = """\nx\ny"""', "a = '''\nx\ny'''",
    'a = """x""""', 'a = """x"""""', "a = '''x''''", "a = ''''x'''''",
    'a = """a\\\n   b"""', 'a = """a\\   \n\n\n   b"""', 'a = """\\\n"""',
    'a = "\\u00e9\\U0001F600\\b\\t\\n\\f\\r\\"\\\\"', 'a = "\\u0000"',
    'a = "t\tab"', "a = +1", "a = -0", "a = 1_000", "a = 0xDEAD_beef",
    "a = 0o755", "a = 0b1101", "a = 0x00", "a = 9223372036854775807",
    "a = -9223372036854775808", "a = 1.0", "a = -0.0", "a = 1e10",
    "a = 1E+06", "a = 1e-0_7", "a = 6.626e-34", "a = 1_0.0_1", "a = inf",
    "a = -inf", "a = +nan", "a = 1e400", "a = 1e-400", "a = true",
    "a = false", "a = 1979-05-27T07:32:00Z", "a = 1979-05-27t07:32:00z",
    "a = 1979-05-27 07:32:00.999999-07:00", "a = 1979-05-27T07:32:00",
    "a = 1979-05-27", "a = 07:32:00", "a = 00:32:00.5", "a = 2020-02-29",
    "a = []", "a = [1,2,]", "a = [ 1 # c\n , 2 ]", "a = [[1],[\"x\",1.5]]",
    "a = {}", "a = { b = 1, c.d = 2 }", "a = {b = {c = [1,\n2]}}",
    "a.b.c = 1\na.b.d = 2", '"a.b".c = 1', "'q' = 1", '"" = 1', "1.2 = 3",
    "a . b = 1", "[a]\n[b]", "[a.b]\n[a]\nx=1", "[a]\nb.c=1\n[a.d]\ne=1",
    "[fruit]\napple.color=1\napple.taste.sweet=true\n[fruit.apple.texture]",
    "[[a]]\nx=1\n[[a]]\nx=2", "[[a]]\n[a.b]\n[[a]]\n[a.b]", "[ a . 'b' ]",
    "[[a]]\n[[a.b]]\n[[a.b]]\n[[a]]\n[[a.b]]", "[a.b.c]\n[a]\nb.d=1",
    "[x.y.z.w]\n[x]\n", "true = 1", "inf = 2", "- = 1", "_ = 1", "a-b = 1",
    "é = 1" if False else '"é" = 1', "[[a]]\n[a.b.c]\n[a.b]\nx=1",
]
INVALID = [
    "a", "a =", "= 1", "a = 1 b = 2", "a = 1\na = 2", "a.b = 1\na = 2",
    "a = 1\na.b = 2", "[a]\n[a]", "[a]\nb=1\n[a.b]", "[a", "[]", "[[a]",
    "[a]]", "[[]]", "a = [1", "a = [1,,2]", "a = [,1]", "a = {b=1,}",
    "a = {b=1\n}", "a = {b=1,\nc=2}", "a = {b=1,b=2}", "a = {b=1",
    "a = {}\na.b=1", "a = {}\n[a.b]", "a={b={}}\na.b.c=1", "a = []\n[[a]]",
    "[[a]]\n[a]", "[a]\n[[a]]", "[a.b]\n[[a]]", "a = 'x", 'a = "x', "é = 1",
    'a = """x', "a = '''x", 'a = "\\x41"', 'a = "\\ud800"', 'a = "\\u12"',
    'a = "\\U00110000"', 'a = "a\nb"', "a = 01", "a = +0x1", "a = 0x",
    "a = 1__0", "a = 1_", "a = _1", "a = 1.", "a = .5", "a = 1.e5",
    "a = 1e", "a = 1e1.5", "a = 0b2", "a = 0o8", "a = 00", "a = -01",
    "a = truee", "a = True", "a = Inf", "a = nan1", "a = 2021-02-30",
    "a = 2021-13-01", "a = 1979-05-27T25:00:00", "a = 1979-05-27T07:60:00",
    "a = 07:32", "a = 1979-05-27T07:32", "a = 1979-5-27", "a = 24:00:00",
    "a = 1979-05-27T07:32:00+25:00", "a = 1979-05-27T07:32:00.",
    "a = 1\rb = 2", "a = \"\x01\"", "# \x00", "# \x7f", 'a = "\x7f"',
    "a = '\x0b'", "a\n= 1", "a = \n1", '"""a""" = 1', "'''a''' = 1",
    "[a.b.c]\nz=9\n[a]\nb.c.t='x'", "[a.b.c.d]\nz=9\n[a]\nb.c.d.k.t='x'",
    "[fruit]\napple.color=1\n[fruit.apple]", "a.b=1\n[a]\nc=2",
    "[a]\nb.c=1\n[a.b]", "a = 1 # \x0c", "[a]b = 1", "[a] [b]", "a = {b}",
    "a = {= 1}", "a = {,}", "a..b = 1", ".a = 1", "a. = 1", "\ufeffa = 1",
    "a = [1 2]", "a = 1.2.3", "a = 0x1.5", "a = --1", "a = 1-1", "a = \"a\"b",
]
BARE = ["a", "b", "c", "d-e", "f_1", "1", "x", "lr"]


def same(ours, theirs):
    if isinstance(theirs, bool):
        return ours is theirs
    if isinstance(theirs, dict):
        return (isinstance(ours, dict) and len(ours) == len(theirs)
                and all(k.replace("\0", "<0>") in ours
                        and same(ours[k.replace("\0", "<0>")], v)
                        for k, v in theirs.items()))
    if not isinstance(ours, list):
        return False
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if len(ours) != 2:
        return False
    kind, text = ours
    if isinstance(theirs, str):
        return kind == "str" and text == theirs
    if isinstance(theirs, int):
        return kind == "int" and int(text) == theirs
    if isinstance(theirs, float):
        x = float(text)
        return kind == "float" and (
            math.isnan(x) and math.isnan(theirs)
            or x == theirs and math.copysign(1, x) == math.copysign(1, theirs))
    if isinstance(theirs, (datetime.date, datetime.time)):
        return kind == "date" and tomllib.loads("x=" + text)["x"] == theirs
    return False


def beyond(v):
    """Outside TOML's 64 bits, where tomllib is wider than the standard."""
    if isinstance(v, dict):
        return any(map(beyond, v.values()))
    if isinstance(v, list):
        return any(map(beyond, v))
    return type(v) is int and not -2**63 <= v < 2**63


class Writer:
    def __init__(self, rng):
        self.r = rng

    def key(self):
        r = self.r
        k = r.choice(BARE)
        form = r.random()
        if form < 0.8:
            return k
        return f'"{k}"' if form < 0.9 else f"'{k} .'"

    def dotted(self):
        return ".".join(self.key() for _ in range(self.r.choice([1, 1, 1, 2, 3])))

    def string(self):
        r = self.r
        body = "".join(r.choice(["x", "é", " ", "\\n", "\\u00e9", "#", "'",
                                 "[", "=", "\\\\"]) for _ in range(r.randint(0, 6)))
        form = r.randint(0, 3)
        if form == 0:
            return '"' + body + '"'
        if form == 1:
            return "'" + body.replace("'", "") + "'"
        if form == 2:
            return '"""' + r.choice(["\n", ""]) + body + r.choice(["", "\\\n  ", '"a']) + '"""'
        return "'''" + r.choice(["\n", ""]) + body.replace("'", "") + "'''"

    def scalar(self):
        r = self.r
        return r.choice([
            self.string,
            lambda: str(r.randint(-10**6, 10**6)),
            lambda: f"{r.randint(0, 9999):_}",
            lambda: hex(r.getrandbits(40)),
            lambda: oct(r.getrandbits(20)),
            lambda: bin(r.getrandbits(9)),
            lambda: repr(r.gauss(0, 10 ** r.randint(-9, 9))),
            lambda: r.choice(["inf", "-inf", "nan", "true", "false", "1e5", "3.0E-2"]),
            lambda: f"{r.randint(1, 9999):04d}-{r.randint(1, 12):02d}-{r.randint(1, 30):02d}",
            lambda: f"{r.randint(0, 24):02d}:{r.randint(0, 60):02d}:{r.randint(0, 59):02d}.{r.randint(0, 99)}",
            lambda: f"2020-0{r.randint(1, 9)}-2{r.randint(0, 9)}{r.choice('T t')}1{r.randint(0, 9)}:00:00{r.choice(['', 'Z', '+01:00', '-23:59'])}",
        ])()

    def value(self, depth=0):
        r = self.r
        x = r.random()
        if depth > 3 or x < 0.7:
            return self.scalar()
        if x < 0.87:
            parts = [self.value(depth + 1) for _ in range(r.randint(0, 4))]
            glue = r.choice([", ", ",\n  ", ", # c\n"])
            return "[" + glue.join(parts) + r.choice(["", ",", "\n"] if parts else [""]) + "]"
        return "{ " + ", ".join(f"{self.dotted()} = {self.value(depth + 1)}"
                                for _ in range(r.randint(0, 3))) + " }"

    def document(self):
        r = self.r
        lines = []
        for _ in range(r.randint(1, 14)):
            x = r.random()
            if x < 0.2:
                lines.append(f"[{self.dotted()}]")
            elif x < 0.28:
                lines.append(f"[[{self.dotted()}]]")
            elif x < 0.33:
                lines.append("# note")
            else:
                lines.append(f"{self.dotted()}{r.choice(['=', ' = '])}{self.value()}")
        return r.choice(["\n", "\n", "\r\n"]).join(lines)

    def mutate(self, text):
        r = self.r
        for _ in range(r.randint(1, 3)):
            i = r.randint(0, len(text))
            j = min(len(text), i + r.randint(0, 3))
            text = text[:i] + r.choice(["", "", r.choice("\"'[]{}=.,#\\_-+0eTx \n\t\r\x00\x7fé")]) + text[j:]
        return text


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        os.environ.get("BUILD", "build"), "test", "toml_dump")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 6000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    w = Writer(random.Random(seed))
    docs = VALID + INVALID
    table = len(docs)
    while len(docs) < table + count:
        d = w.document()
        docs.append(d)
        docs.append(w.mutate(w.r.choice(docs) if w.r.random() < 0.3 else d))
    frames = b"".join(b"%d\n%s" % (len(b), b) for b in (d.encode() for d in docs))
    out = subprocess.run([program], input=frames, capture_output=True, check=True)
    lines = out.stdout.decode().splitlines()
    assert len(lines) == len(docs), (len(lines), len(docs))
    n = dict(valid=0, invalid=0, beyond=0, differ=0)
    for i, (doc, line) in enumerate(zip(docs, lines)):
        ours = json.loads(line)
        try:
            theirs = tomllib.loads(doc)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError):
            theirs = None
        if i < table and (theirs is not None) != (i < len(VALID)):
            print(f"the table is wrong about {doc!r}")
            n["differ"] += 1
        if theirs is not None and beyond(theirs):
            n["beyond"] += 1
            continue
        n["invalid" if theirs is None else "valid"] += 1
        if (ours[0] is None) != (theirs is None) or (
                theirs is not None and not same(ours[0], theirs)):
            n["differ"] += 1
            print(f"differs: {doc!r}\n  ours   {ours}\n  theirs {theirs}")
    print(f"{len(docs)} documents: {n['valid']} valid, {n['invalid']} invalid, "
          f"{n['beyond']} beyond 64 bits, {n['differ']} differ (seed {seed})")
    enough = n["valid"] >= count / 5 and n["invalid"] >= count / 5
    return 0 if n["differ"] == 0 and enough else 1


if __name__ == "__main__":
    sys.exit(main())
