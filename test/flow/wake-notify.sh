#!/bin/sh
# Notifications outlive a dead endpoint, are signed, come once each as long as
# the receiver answers, and never hold or fail a wake; secrets stay hidden.
. "$(dirname "$0")/lib.sh"
command -v curl >/dev/null || skip "no curl here"
command -v python3 >/dev/null || skip "no python3 here"
cat >hook.py <<'EOF'
import hashlib, hmac, http.server, json, os, sys, time
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if os.path.exists("slow"):
            time.sleep(60)
        code = 403 if os.path.exists("deny") else 200
        self.send_response(code)
        self.end_headers()
        if code != 200:
            return
        t, v = self.headers["X-REA-Signature"].split(",")
        want = hmac.new(b"s3cret key", t[2:].encode() + b"." + body,
                        hashlib.sha256).hexdigest()
        d = json.loads(body)
        d["signed"] = v == "v1=" + want and abs(time.time() - int(t[2:])) < 60
        with open("heard", "a") as f:
            f.write(json.dumps(d) + "\n")
    def log_message(self, *a):
        pass
class S(http.server.ThreadingHTTPServer):
    daemon_threads = True
s = S(("127.0.0.1", int(sys.argv[1])), H)
with open("port.tmp", "w") as f:
    f.write(str(s.server_port))
os.rename("port.tmp", "port")
s.serve_forever()
EOF
hook=
trap '[ -z "$hook" ] || kill $hook 2>/dev/null; rm -rf "$dir"' EXIT
hook_start() { # PORT
    rm -f port
    python3 hook.py "$1" &
    hook=$!
    until [ -s port ]; do sleep 0.1; done
}
: >heard
hook_start 0
port=$(cat port)
kill $hook
wait $hook 2>/dev/null
hook=
shell_model ws && cd ws || exit 1
printf 'http://127.0.0.1:%s/secret-path\n' "$port" >../address
export SLEEP=0 REA_HOOK_SECRET="s3cret key"
printf '[notify]\nwebhook = "file:../address"\nsecret = "%s"\n%s\n' \
    env:REA_HOOK_SECRET \
    'on = ["phase-done", "budget-20%", "finished"]' >>rea.toml
db() {
    python3 -c 'import sqlite3, sys
c = sqlite3.connect(".rea/rea.db", timeout=10)
for row in c.execute(sys.argv[1]):
    print(*row)
c.commit()' "$1"
}
waits() { db "SELECT count(*) FROM outbox WHERE done = 0"; }
sweep_until() { # N: sweeps until N messages wait
    i=0
    while [ "$(waits)" != "$1" ]; do
        i=$((i + 1))
        [ $i -lt 60 ] || fail "$(waits) wait, not $1: $(db \
            "SELECT key, CAST(value AS TEXT) FROM kv WHERE key LIKE 'outbox/%'")"
        sleep 0.5
        want 0 "$rea" sweep
    done
}
sign

# Nobody listens: the campaign ends as if it had nobody to tell.
want 0 "$rea" run --wait
[ "$(state)" = 'done' ] || fail "state $(state)"
sleep 1
want 0 "$rea" sweep
n=$(waits)
[ "$n" -ge 4 ] || fail "only $n messages wait"
[ ! -s ../heard ] || fail "heard $(cat ../heard)"
db "SELECT CAST(value AS TEXT) FROM kv WHERE key LIKE 'outbox/%'" >why
grep -q '^[1-9][0-9]* [0-9]* curl: .*connect' why || fail "why: $(cat why)"

# It refuses, then it hangs: no sweep waits for it.
: >../deny
cd .. && hook_start "$port" && cd ws || exit 1
i=0
until db "SELECT CAST(value AS TEXT) FROM kv WHERE key LIKE 'outbox/%'" |
    grep -q 403; do
    i=$((i + 1))
    [ $i -lt 60 ] || fail "403 is not kept: $(db \
        "SELECT CAST(value AS TEXT) FROM kv WHERE key LIKE 'outbox/%'")"
    sleep 0.5
    want 0 "$rea" sweep
done
rm ../deny
: >../slow
begin=$(date +%s)
for i in 1 2 3 4 5; do want 0 "$rea" sweep; sleep 1; done
[ $(($(date +%s) - begin)) -le 9 ] || fail "sweeps wait for the receiver"
rm ../slow

# It answers: each message comes, signed, and is gone here.
sweep_until 0
jq -s -e 'all(.signed) and all(.event_id and .timestamp and .text
    and .campaign == "C1" and .model == "shell")' ../heard >/dev/null ||
    fail "$(cat ../heard)"
[ "$(jq -r .event_id ../heard | sort -u | wc -l)" = "$n" ] ||
    fail "$n were sent, heard $(cat ../heard)"
jq -r .event_type ../heard | sort | uniq -c | tr -s ' ' >kinds
grep -q '^ 1 budget-20%$' kinds || fail "$(cat kinds)"
grep -q '^ 1 finished$' kinds || fail "$(cat kinds)"
grep -q 'phase-done$' kinds || fail "$(cat kinds)"
[ "$(jq -r 'select(.event_type == "finished").command' ../heard)" = \
    'rea report C1' ] || fail "$(tail -n 1 ../heard)"
[ "$(db "SELECT count(*) FROM kv WHERE key LIKE 'outbox/%'")" = 0 ] ||
    fail "tries are left"
[ -z "$(ls .rea/outbox)" ] || fail "marks are left: $(ls .rea/outbox)"
! grep -rqs 'secret-path\|s3cret' .rea || fail "a secret is in the workspace"

# Ten failures, then it rests, with the reason.
kill $hook
wait $hook 2>/dev/null
hook=
cd .. && cp -R ws ws2 && cd ws2 && rm -rf .rea || exit 1
sed -i 's/^on = .*/on = ["finished"]/' rea.toml
sign
want 0 "$rea" run --wait
sleep 1
want 0 "$rea" sweep
i=1
while [ "$(waits)" != 0 ]; do
    i=$((i + 1))
    [ $i -lt 20 ] || fail "tried for ever"
    db "UPDATE kv SET value =
        CAST(substr(value, 1, instr(value, ' ')) || '1 x' AS BLOB)
        WHERE key LIKE 'outbox/%'" # the last try was long ago
    want 0 "$rea" sweep # sends
    sleep 0.5
    want 0 "$rea" sweep # hears
done
db "SELECT CAST(value AS TEXT) FROM kv WHERE key LIKE 'outbox/%'" >why
grep -q '^10 [0-9]* curl: .*connect' why || fail "given up: $(cat why)"
[ "$(db "SELECT count(*) FROM outbox WHERE done = 1")" = 1 ] || fail "done"
exit 0
