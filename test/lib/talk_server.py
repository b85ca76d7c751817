#!/usr/bin/env python3
"""A model's server on loopback that replies as a file says.
  talk_server.py SCRIPT LOG
prints its port. SCRIPT: {"turns": [{"purpose", "text", "calls": [{"name",
"args"}], "status", "headers"}]}, served in order, by purpose; the purpose of a
request is told from its schema and tools. A body that was seen before gets the
same reply and is logged as "again". LOG: one JSON line a request, with its
body."""
import hashlib, json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

script = json.load(open(sys.argv[1]))
log = open(sys.argv[2], "a", buffering=1)
served, known = {}, {}


def purpose(body):
    text = json.dumps(body)
    for name, mark in (("reflection", "These are proposals of yours"),
                       ("diagnosis", "training job failed"),
                       ("memory", "Sum up these steps"),
                       ("summary", "Sum up this finished campaign")):
        if mark in text:
            return name
    return "hypotheses"


def text_of(o, key):
    hexed = o.get(key + "_hex")
    return bytes.fromhex(hexed).decode("utf-8", "replace") if hexed else o.get(key)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *a):
        pass

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(raw)
        digest, what = hashlib.sha256(raw).hexdigest(), purpose(body)
        again = digest in known
        nth = known.setdefault(digest, served.get(what, 0))
        if not again:
            served[what] = nth + 1
        turns = [t for t in script["turns"] if t["purpose"] == what]
        log.write(json.dumps({"purpose": what, "again": again, "nth": nth,
                              "bytes": len(raw), "body": body}) + "\n")
        if nth >= len(turns):
            turns, nth = [{"status": 503}], 0
        turn = turns[nth]
        status = turn.get("status", 200)
        message = {"role": "assistant", "content": text_of(turn, "text")}
        calls = [{"id": "c%d" % i, "type": "function", "function": {
            "name": c["name"], "arguments": text_of(c, "args")}}
            for i, c in enumerate(turn.get("calls", []))]
        if calls:
            message["tool_calls"] = calls
        reply = {"error": {"message": "scripted", "type": "scripted"}}
        if status == 200:
            reply = {"id": "x", "model": "scripted", "choices": [{
                "index": 0, "message": message,
                "finish_reason": "tool_calls" if calls else "stop"}],
                "usage": {"prompt_tokens": len(raw) // 4,
                          "completion_tokens": 50}}
        data = json.dumps(reply).encode()
        self.send_response(status)
        for k, v in turn.get("headers", {}).items():
            self.send_header(k, v)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
