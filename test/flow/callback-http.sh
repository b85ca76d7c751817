#!/bin/sh
# A job's node that can't open the state tells its end by a signed POST: the
# campaign goes on. What is forged, late, doubled, too long or slow changes
# nothing; a server that is not there, or dies, costs a sweep. Under a socket
# unit the server ends when nobody calls.
. "$(dirname "$0")/lib.sh"
trap '[ -z "${server:-}" ] || kill -9 "$server" 2>/dev/null; rm -rf "$dir"' EXIT
unshare -m true 2>/dev/null || skip "no mount namespaces for a node"
serve() { # starts it, sets server and url
    "$rea" -C "$dir/ws" serve --port "$port" --address 127.0.0.1 \
        >"$dir/serve.log" 2>&1 &
    server=$!
    i=0
    until url=$(sed -n 's/^listening on //p' "$dir/serve.log") && [ -n "$url" ]; do
        i=$((i + 1))
        [ $i -lt 100 ] || fail "no server: $(cat "$dir/serve.log")"
        sleep 0.05
    done
}
shell_model ws && cd ws || exit 1
sed -i '/^\[backend\]/,$d; s/^total = .*/total = 16/; s/^seeds = 5/seeds = 3/' rea.toml
# The node: the folder is there, the database is not (it is empty to open).
cat >"$dir/submit" <<'E2'
#!/bin/sh
unshare -m sh -c 'mount --bind /dev/null "$1/.rea/rea.db" && exec "$2"' \
    sh "$HOME/ws" "$1" >/dev/null 2>&1 &
echo $!
E2
chmod +x "$dir/submit"
port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >>rea.toml <<E2
[resources]
time = "1m"
[backend]
kind = "command"
callback = "http://127.0.0.1:$port"
submit = "$dir/submit {script}"
state = "sh -c 'kill -0 \$1 2>/dev/null && echo RUNNING || echo DONE' sh {id}"
cancel = "kill {id}"
E2
sign
serve
want 0 "$rea" run C1
until_state "done"
want 0 "$rea" replay C1
taken=$(grep -c '^200 ' "$dir/serve.log")
[ "$taken" -ge 8 ] || fail "$taken callbacks: $(cat "$dir/serve.log")"
[ "$(stat -c %a .rea/callback.key)" = 600 ] || fail "the key is for all to read"
grep -rq "$(cat .rea/callback.key)" .rea/runs && fail "the key is in a run folder"

# --- words that are not good
events() { "$rea" --json log C1 --all | wc -l; }
before=$(events)
python3 - "$url" "$(cat .rea/callback.key)" >said 2>&1 <<'E2' || fail "$(cat said)"
import hashlib, hmac, http.client, os, socket, sys, time
url, key = sys.argv[1], sys.argv[2]
host = url.split("//")[1]

def word(body=b'{"wake": "C1"}', key=key, t=None, nonce=None):
    t = int(time.time()) if t is None else t
    nonce = nonce or os.urandom(16).hex()
    text = b"rea-callback-1\n%d\n%s\n" % (t, nonce.encode()) + body
    mac = hmac.new(key.encode(), text, hashlib.sha256).hexdigest()
    return body, {"X-REA-Signature": "t=%d,n=%s,v1=%s" % (t, nonce, mac)}

def post(body, headers, method="POST"):
    c = http.client.HTTPConnection(host, timeout=30)
    c.request(method, "/", body, headers)
    r = c.getresponse()
    return r.status, r.read().decode().strip()

def want(code, got, what):
    assert got[0] == code, (what, code, got)

good = word()
want(200, post(*good), "a good one")
want(409, post(*good), "replayed")
want(401, post(b'{"wake": "C1"}', {}), "unsigned")
want(401, post(*word(key="0" * 64)), "another key")
want(401, post(b'{"wake": "C2"}', word()[1]), "another body")
want(403, post(*word(t=int(time.time()) - 400)), "late")
want(403, post(*word(t=int(time.time()) + 400)), "early")
want(400, post(*word(body=b'{"wake": "X"}')), "no campaign")
want(404, post(*word(body=b'{"wake": "C99"}')), "no such campaign")
want(413, post(*word(body=b"x" * 5000)), "too long")
want(405, post(b"", {}, "GET"), "GET")
slow = socket.create_connection(host.split(":"))
slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le")
want(200, post(*word()), "beside a slow one")
many = [socket.create_connection(host.split(":")) for _ in range(70)]
time.sleep(11)   # the silent ones are sent away
want(200, post(*word()), "after a crowd")
slow.settimeout(20)
assert b" 200 " not in slow.recv(100)
raw = socket.create_connection(host.split(":"))
raw.sendall(os.urandom(4000))
want(200, post(*word()), "after noise")
open("replay", "w").write("\n".join([good[0].decode(), good[1]["X-REA-Signature"]]))
E2
[ "$(events)" = "$before" ] || fail "a bad word left an event"

# --- a replay to a server that was started anew
kill -9 "$server"
wait "$server" 2>/dev/null
serve
code=$(curl -s -o /dev/null -w '%{http_code}' -d "$(sed -n 1p replay)" \
    -H "X-REA-Signature: $(sed -n 2p replay)" "$url")
[ "$code" = 409 ] || fail "a replay after a restart: $code"
kill "$server" && wait "$server" || fail "the server does not end when told to"
server=

# --- nobody there: the sweep
want 1 "$rea" wake C1 --via "http://127.0.0.1:$port"
says 'rea sweep'
want 2 "$rea" wake C1 --via "ftp://x"

# --- under a socket unit: it comes with a call, and goes
cat >unit.py <<'E2'
import os, socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(8)
print(s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], sys.argv[1:])
E2
python3 unit.py "$build/rea-serve" --root "$dir/ws" --rea "$rea" --idle 2 >unit.out 2>&1 &
server=$!
i=0
until [ -s unit.out ]; do
    i=$((i + 1))
    [ $i -lt 200 ] || fail "no port: $(cat unit.out)"
    sleep 0.1
done
want 0 "$rea" wake C1 --via "http://127.0.0.1:$(head -1 unit.out)"
i=0
while kill -0 "$server" 2>/dev/null; do
    i=$((i + 1))
    [ $i -lt 80 ] || fail "it stays though nobody calls"
    sleep 0.1
done
wait "$server" || fail "it ended badly: $(cat unit.out)"
server=
exit 0
