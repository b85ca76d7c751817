"""A server that answers as MLflow's REST interface, API 2.0, does: two pages
of experiments, two of runs. Prints its port; ends when its input closes."""
import http.server
import json
import sys
import threading

RUNS = [("aa", "FINISHED", "0.1", 0.70), ("bb", "FINISHED", "0.2", 0.72),
        ("cc", "FAILED", "0.3", None)]


def run(r):
    metrics = [{"key": "auc", "value": r[3], "step": 1}] if r[3] else []
    return {"info": {"run_id": r[0], "experiment_id": "7", "status": r[1],
                     "start_time": 1767312000000, "lifecycle_stage": "active"},
            "data": {"metrics": metrics,
                     "params": [{"key": "lr", "value": r[2]}]}}


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        page, reply, code = body.get("page_token"), {}, 200
        if self.headers.get("Authorization") != "Bearer se\"cret":
            reply, code = {"error_code": "PERMISSION_DENIED"}, 401
        elif self.path.endswith("/mlflow/experiments/search"):
            names = [{"experiment_id": "7", "name": "ctr"}] if page else \
                [{"experiment_id": "0", "name": "Default"}]
            reply = {"experiments": names}
            if not page:
                reply["next_page_token"] = "p2"
        elif self.path.endswith("/mlflow/runs/search"):
            if body["experiment_ids"] == ["7"]:
                reply = {"runs": [run(r) for r in
                                  (RUNS[2:] if page else RUNS[:2])]}
                if not page:
                    reply["next_page_token"] = "p2"
        else:
            code = 404
        data = json.dumps(reply).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
