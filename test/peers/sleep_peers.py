#!/usr/bin/env python3
"""One wake beside other systems of durable workflows: load the state (2 KB),
take one decision, commit it, at the same level of sync (SQLite synchronous =
FULL, PostgreSQL fsync and synchronous_commit on), among many sleepers, each
sample just after a raw fsync of the same disk.
  LangGraph with checkpoint-sqlite: a node that interrupts, resumed; warm in one
    process, also where its step leaves what rea leaves for a new job, and cold
    in a fresh one each time, as rea wakes
  DBOS on PostgreSQL (127.0.0.1:5432, user postgres, no password): a workflow
    that receives, takes a step and receives again; its process stays
  Restate, its server from npm: a workflow that is suspended at a promise; one
    call resolves it, and the answer is waited for; server and service stay
Without --full fewer sleepers and wakes. What is not installed, or not running,
is left out with a message; skipped when nothing is there."""
import http.client
import itertools
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

STATE = "x" * 2048
FULL = "--full" in sys.argv
SLEEPERS = 1000 if FULL else 100
WAKES = 200 if FULL else 30
COLD = 8 if FULL else 3
DSN = "postgresql://postgres@127.0.0.1:5432/"
BASE = "rea_sleep_peers"


def at(values, q):
    v = sorted(values)
    return v[int((len(v) - 1) * q)]


class Raw:
    """One page written and synced, as a commit does."""

    def __init__(self, folder):
        self.fd = os.open(os.path.join(folder, "fsync"),
                          os.O_WRONLY | os.O_CREAT)
        self.ms, self.i = [], 0

    def sync(self):
        begin = time.perf_counter()
        os.pwrite(self.fd, b"\1" * 4096, self.i % 64 * 4096)
        os.fdatasync(self.fd)
        self.i += 1
        self.ms.append(1e3 * (time.perf_counter() - begin))


def row(name, ms, raw, cpu, rest):
    print(f"{name:28} {at(ms, .5):8.2f} {at(ms, .99):8.2f} "
          f"{at(raw.ms, .5):8.2f} {at(ms, .5) - at(raw.ms, .5):8.2f} "
          f"{cpu:8.2f}  {rest}", flush=True)


def cpu_now(who=resource.RUSAGE_SELF):
    u = resource.getrusage(who)
    return 1e3 * (u.ru_utime + u.ru_stime)


# ---- LangGraph ----

def job_leave(folder, i):
    """What a job that survives a loss of power needs before it is started, as
    rea leaves it: a folder with two small files, and a claim on its name."""
    run, claims = os.path.join(folder, f"run{i}"), os.path.join(folder, "jobs")
    os.makedirs(run)
    os.makedirs(claims, exist_ok=True)
    for path in (os.path.join(run, "knobs.json"),
                 os.path.join(run, "spec.json"), os.path.join(claims, f"t{i}")):
        with open(path + ".tmp", "wb") as f:
            f.write(b"x" * 700)
            f.flush()
            os.fsync(f.fileno())
        if path.startswith(claims):
            os.link(path + ".tmp", path)
            os.unlink(path + ".tmp")
        else:
            os.rename(path + ".tmp", path)
    for made in (run, claims):
        fd = os.open(made, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


def graph_open(path, leave=None):
    import sqlite3
    from typing import TypedDict
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.graph import START, StateGraph
    from langgraph.types import interrupt

    class State(TypedDict):
        text: str
        n: int

    def decide(state):
        news = interrupt("asleep")
        if leave is not None:
            leave()
        return {"n": state["n"] + news}

    g = StateGraph(State)
    g.add_node("decide", decide)
    g.add_edge(START, "decide")
    g.add_conditional_edges("decide", lambda s: "decide")
    db = sqlite3.connect(path, check_same_thread=False)
    db.execute("PRAGMA synchronous = FULL")
    return g.compile(checkpointer=SqliteSaver(db)), db


def graph_wake(graph, i):
    from langgraph.types import Command
    return graph.invoke(Command(resume=1),
                        {"configurable": {"thread_id": f"t{i}"}},
                        durability="sync")


def langgraph(folder):
    try:
        import langgraph.checkpoint.sqlite  # noqa: F401
        from importlib.metadata import version
    except ImportError:
        print("LangGraph: left out, langgraph-checkpoint-sqlite is not "
              "installed (PyPI)")
        return False
    path = os.path.join(folder, "langgraph.db")
    graph, db = graph_open(path)
    db.execute("PRAGMA synchronous = OFF")
    for i in range(SLEEPERS):
        graph.invoke({"text": STATE, "n": 0},
                     {"configurable": {"thread_id": f"t{i}"}})
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = os.path.getsize(path) / SLEEPERS
    name = f"LangGraph {version('langgraph')}"
    raw, ms = Raw(folder), []
    cpu = cpu_now()
    for i in range(WAKES):
        raw.sync()
        begin = time.perf_counter()
        got = graph_wake(graph, i % SLEEPERS)
        ms.append(1e3 * (time.perf_counter() - begin))
        assert got["n"] == 1 + i // SLEEPERS, got["n"]
    row(name + ", warm", ms, raw, (cpu_now() - cpu) / WAKES,
        f"{size:.0f} bytes of disk a sleeper")
    db.close()
    started = itertools.count()
    graph, db = graph_open(path, lambda: job_leave(folder, next(started)))
    raw, ms, cpu = Raw(folder), [], cpu_now()
    for i in range(WAKES):
        raw.sync()
        begin = time.perf_counter()
        graph_wake(graph, i % SLEEPERS)
        ms.append(1e3 * (time.perf_counter() - begin))
    assert next(started) == WAKES
    row(name + ", warm, job", ms, raw, (cpu_now() - cpu) / WAKES,
        "its step leaves the files of one job")
    db.close()
    raw, ms = Raw(folder), []
    cpu = cpu_now(resource.RUSAGE_CHILDREN)
    for i in range(COLD):
        raw.sync()
        begin = time.perf_counter()
        subprocess.run([sys.executable, __file__, "--graph", path, str(i)],
                       check=True)
        ms.append(1e3 * (time.perf_counter() - begin))
    row(name + ", cold", ms, raw,
        (cpu_now(resource.RUSAGE_CHILDREN) - cpu) / COLD,
        f"of {SLEEPERS} sleepers")
    return True


# ---- DBOS ----

def base_make(make):
    import psycopg
    with psycopg.connect(DSN + "postgres", autocommit=True,
                         connect_timeout=3) as c:
        c.execute(f"DROP DATABASE IF EXISTS {BASE} WITH (FORCE)")
        if make:
            c.execute(f"CREATE DATABASE {BASE}")
            on = [c.execute(f"SHOW {k}").fetchone()[0]
                  for k in ("fsync", "synchronous_commit")]
            assert on == ["on", "on"], on


def rss_mb():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def dbos_wakes(folder, version):
    from dbos import DBOS
    before = rss_mb()
    DBOS(config={"name": "sleepers", "system_database_url": DSN + BASE,
                 "run_admin_server": False, "log_level": "ERROR"})
    woken = threading.Event()

    @DBOS.step()
    def decide(text, n, news):
        return n + news

    @DBOS.workflow()
    async def sleeper(text):
        n = 0
        while n < 1000:
            news = await DBOS.recv_async("news", timeout_seconds=10**6)
            n = await DBOS.run_step_async(
                {"name": "decide"}, lambda n=n: n + news)
            woken.set()

    DBOS.launch()
    import asyncio

    async def start():
        return [await DBOS.start_workflow_async(sleeper, STATE)
                for _ in range(SLEEPERS)]

    # the sleepers' loop runs on while this thread sends
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    handles = asyncio.run_coroutine_threadsafe(start(), loop).result(300)
    time.sleep(3)
    cpu, begin = cpu_now(), time.perf_counter()
    time.sleep(5)
    idle = (cpu_now() - cpu) / (10 * (time.perf_counter() - begin))
    raw, ms, cpu = Raw(folder), [], cpu_now()
    for i in range(WAKES):
        raw.sync()
        woken.clear()
        begin = time.perf_counter()
        DBOS.send(handles[i % SLEEPERS].workflow_id, 1, topic="news")
        assert woken.wait(30), "no wake in 30 s"
        ms.append(1e3 * (time.perf_counter() - begin))
    row(f"DBOS {version}, resident", ms, raw, (cpu_now() - cpu) / WAKES,
        f"asleep {rss_mb() - before:.0f} MB and {idle:.1f} % of a core for "
        f"{SLEEPERS} sleepers, the server apart")


def dbos(folder):
    try:
        import psycopg
        from importlib.metadata import version
        import dbos as _  # noqa: F401
    except ImportError:
        print("DBOS: left out, dbos and psycopg are not installed (PyPI)")
        return False
    try:
        base_make(True)
    except psycopg.OperationalError as e:
        print("DBOS: left out, no PostgreSQL at 127.0.0.1:5432 "
              f"({str(e).splitlines()[0]})")
        return False
    rc = subprocess.run([sys.executable, __file__, "--dbos", folder,
                         version("dbos")] + (["--full"] if FULL else []),
                        timeout=400).returncode
    base_make(False)
    assert rc == 0, f"dbos exits with {rc}"
    return True


# ---- Restate ----

RESTATE = "@restatedev/restate-server"


def restate_program():
    """The server's binary: npm brings it into the build folder."""
    where = os.path.join(os.environ.get("BUILD", "build"), "npm-restate")
    program = os.path.join(where, "node_modules", RESTATE + "-linux-x64",
                           "bin", "restate-server")
    if not os.path.exists(program):
        os.makedirs(where, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", where, "--no-audit",
                        "--no-fund", "--ignore-scripts", RESTATE],
                       check=True, timeout=300, capture_output=True)
    return os.path.abspath(program)


def restate_serve(port):
    import asyncio
    import restate
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    sleeper = restate.Workflow("sleeper")

    @sleeper.main()
    async def run(ctx, text: str) -> int:
        news = await ctx.promise("news").value()
        return await ctx.run("decide", lambda: news)

    @sleeper.handler()
    async def news(ctx, value: int):
        await ctx.promise("news").resolve(value)

    config = Config()
    config.bind, config.loglevel = [f"127.0.0.1:{port}"], "error"
    asyncio.run(serve(restate.app([sleeper]), config))


def port_free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def asked(connection, path, body=None):
    connection.request("GET" if body is None else "POST", path,
                       None if body is None else json.dumps(body),
                       {"content-type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, (path, answer.status, text[:200])
    return text


def restate_up(admin, port):
    for _ in range(200):
        try:
            return asked(http.client.HTTPConnection("127.0.0.1", admin,
                                                    timeout=10),
                         "/deployments", {"uri": f"http://127.0.0.1:{port}"})
        except (OSError, AssertionError, http.client.HTTPException):
            time.sleep(.2)
    raise AssertionError("restate-server does not come up")


def used(processes):
    """Memory in MB and processor time in ms of running processes."""
    mb = ms = 0
    for p in processes:
        with open(f"/proc/{p.pid}/statm") as f:
            mb += int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        with open(f"/proc/{p.pid}/stat") as f:
            user, system = f.read().rsplit(")", 1)[1].split()[11:13]
        ms += 1e3 * (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return mb, ms


def restate_wakes(folder, version, processes, ingress):
    c = http.client.HTTPConnection("127.0.0.1", ingress, timeout=60)
    for i in range(SLEEPERS):
        asked(c, f"/sleeper/s{i}/run/send", STATE)
    time.sleep(3)
    _, before = used(processes)
    time.sleep(5)
    mb, cpu = used(processes)
    idle = (cpu - before) / (10 * 5)
    raw, ms = Raw(folder), []
    for i in range(WAKES):
        raw.sync()
        begin = time.perf_counter()
        asked(c, f"/sleeper/s{i}/news", 1)
        n = asked(c, f"/restate/workflow/sleeper/s{i}/attach")
        ms.append(1e3 * (time.perf_counter() - begin))
        assert json.loads(n) == 1, n
    _, after = used(processes)
    row(f"Restate {version}, resident", ms, raw, (after - cpu) / WAKES,
        f"asleep {mb:.0f} MB and {idle:.1f} % of a core for {SLEEPERS} "
        "sleepers, server and service")


def restate(folder):
    try:
        import hypercorn as _  # noqa: F401
        import restate as _  # noqa: F401
        program = restate_program()
    except ImportError:
        print("Restate: left out, restate-sdk is not installed (PyPI)")
        return False
    except (OSError, subprocess.SubprocessError) as e:
        print(f"Restate: left out, npm brings no {RESTATE} ({e})")
        return False
    node, admin, ingress, port = [port_free() for _ in range(4)]
    base = os.path.join(os.path.abspath(folder), "restate")
    os.mkdir(base)
    env = dict(os.environ, RESTATE_BASE_DIR=base,
               RESTATE_BIND_ADDRESS=f"127.0.0.1:{node}",
               RESTATE_ADVERTISED_ADDRESS=f"http://127.0.0.1:{node}",
               RESTATE_ADMIN__BIND_ADDRESS=f"127.0.0.1:{admin}",
               RESTATE_INGRESS__BIND_ADDRESS=f"127.0.0.1:{ingress}",
               RESTATE_WORKER__INVOKER__INACTIVITY_TIMEOUT="1ms",
               RESTATE_DISABLE_TELEMETRY="true")
    with open(os.path.join(base, "log"), "w") as log:
        processes = [
            subprocess.Popen([program], env=env, stdout=log, stderr=log),
            subprocess.Popen([sys.executable, __file__, "--restate",
                              str(port)], stdout=log, stderr=log)]
    try:
        restate_up(admin, port)
        version = subprocess.run([program, "--version"], text=True,
                                 capture_output=True).stdout.split()[-1]
        restate_wakes(folder, version, processes, ingress)
    finally:
        for p in processes:
            p.kill()
            p.wait()
    return True


def main():
    if "--restate" in sys.argv:
        restate_serve(int(sys.argv[2]))
    if "--graph" in sys.argv:
        graph, _ = graph_open(sys.argv[2])
        assert graph_wake(graph, int(sys.argv[3]))["n"] >= 1
        return 0
    if "--dbos" in sys.argv:
        dbos_wakes(sys.argv[2], sys.argv[3])
        sys.stdout.flush()
        os._exit(0)  # its sleepers would keep the process
    build = os.environ.get("BUILD", "build")
    folder = tempfile.mkdtemp(dir=build if os.path.isdir(build) else None)
    try:
        print(f"{'one wake, ms':28} {'p50':>8} {'p99':>8} {'raw p50':>8} "
              f"{'beyond':>8} {'CPU':>8}")
        done = [langgraph(folder), dbos(folder), restate(folder)]
        bench = os.path.join(build, "bench-sleep")
        if any(done) and os.path.exists(bench):
            print("rea, cold, beside them:", flush=True)
            for jobs in ("1", "2"):
                subprocess.run([bench, "--campaigns", str(SLEEPERS), "--wakes",
                                str(WAKES), "--cycles", "1", "--jobs", jobs],
                               check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if any(done) else 77


if __name__ == "__main__":
    sys.exit(main())
