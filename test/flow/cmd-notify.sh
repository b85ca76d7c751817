#!/bin/sh
# The webhook hears what [notify] on lists, once each, and nothing else.
. "$(dirname "$0")/lib.sh"
command -v curl >/dev/null || skip "no curl here"
command -v python3 >/dev/null || skip "no python3 here"
cat >hook.py <<'EOF'
import http.server
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        n = int(self.headers.get("content-length", 0))
        with open("heard", "ab") as f:
            f.write(self.rfile.read(n) + b"\n")
        self.send_response(200)
        self.end_headers()
    def log_message(self, *a):
        pass
s = http.server.HTTPServer(("127.0.0.1", 0), H)
with open("port.tmp", "w") as f:
    f.write(str(s.server_port))
import os
os.rename("port.tmp", "port")
s.serve_forever()
EOF
: >heard
python3 hook.py &
hook=$!
trap 'kill $hook 2>/dev/null; rm -rf "$dir"' EXIT
until [ -s port ]; do sleep 0.1; done
shell_model ws && cd ws || exit 1
export SLEEP=0 REA_WEBHOOK="http://127.0.0.1:$(cat ../port)/secret-path"
printf '[notify]\nwebhook = "env:REA_WEBHOOK"\n%s\n' \
    'on = ["needs-approval", "budget-50%", "finished"]' >>rea.toml
sign
cp rea.toml good.toml
want 0 "$rea" run C1
sed -i 's/^default = 8/default = 9/' rea.toml
! cmp -s rea.toml good.toml || fail "the test no longer edits a default"
sleep 1
want 3 "$rea" run C1
cp good.toml rea.toml
want 0 "$rea" resume C1
want 0 "$rea" run --wait
sleep 2
jq -r .event_type ../heard | sort >events
printf '%s\n' budget-50% finished needs-approval >wanted
cmp -s events wanted || fail "heard $(cat events)"
jq -e 'select(.event_type == "finished") | .campaign == "C1" and .state == "done"' \
    ../heard >/dev/null || fail "$(cat ../heard)"
! grep -rqs secret-path .rea || fail "the address is kept in the workspace"
exit 0
