#!/bin/sh
# A server of models that fails in every way that is known, and a client that
# always ends with a valid reply or a clean status, within its budget, after
# kill -9 too. test/lib/model_server.c says what each fault is.
. "$(dirname "$0")/lib.sh"
unset OPENAI_API_KEY OPENAI_BASE_URL ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN \
    ANTHROPIC_BASE_URL OPENROUTER_API_KEY OLLAMA_HOST REA_MODEL \
    http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
export MY_KEY=abcdefgh-12345678-secret
programs=$build/test
mkdir w wtrue wfalse
w=w # the workspace, with a record of its own
"$programs/model_server" "$dir/log" >port &
server=$!
# shellcheck disable=SC2086
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
for _ in $(seq 100); do [ -s port ] && break; sleep 0.05; done
port=$(cat port)
[ -n "$port" ] || fail "the server did not start"

request='{"purpose":"t","messages":[{"role":"user","text":"Say."}],
"schema_name":"idea","schema":{"type":"object","properties":{"name":{"type":
"string","minLength":2},"mean":{"type":"number","minimum":0}},"required":
["name","mean"],"additionalProperties":false}}'
request=$(echo "$request" | tr -d '\n')
settings() { # what the test does not say itself
    case $1 in *dialect*) ;; *) printf ',"dialect":"chat"' ;; esac
    case $1 in *provider*) ;; *) printf ',"provider":"openai"' ;; esac
    case $1 in *timeout*) ;; *) printf ',"timeout_ms":20000' ;; esac
    printf %s "$1"
}
about() { echo "$request" | sed "s/Say/$1/"; } # another question
# ask FAULTS [MORE SETTINGS [REQUEST]]: the reply into out
ask() {
    echo "${3:-$request}" | timeout 60 "$programs/model_ask" "$w" "{\"haste\":40,
        \"base_url\":\"http://127.0.0.1:$port/$1/v1\",\"key\":\"env:MY_KEY\",
        \"model\":\"m\"$(settings "${2:-}")}" >out 2>err ||
        fail "$1: $(cat err)"
}
# gives STATUS FAULTS [MORE [REQUEST]]: asks and checks the status
gives() {
    want_status=$1
    shift
    ask "$@"
    [ "$(jq -r .status out)" = "$want_status" ] ||
        fail "$* gives $(cat out), not $want_status"
}
requests() { grep -c . log || true; } # served so far
asked() { # N FAULTS...: how many requests the last ask made
    n=$(($(requests) - before))
    [ "$n" = "$1" ] || fail "$n requests instead of $1"
}

# Each fault, streamed and whole.
for stream in true false; do
    s=",\"stream\":$stream" w=w$stream
    for f in ok 429,ok 429date,ok 429ms,ok 529,ok 408,500,ok slow cut,ok \
        prose,ok fenced wrong,ok utf8 nan,ok deep,ok secret nousage badusage \
        empty,ok nothing,ok html,ok redirsame length,ok 400format 400temp \
        surrogate,ok; do
        before=$(requests)
        case $f in prose,ok | wrong,ok | nan,ok | deep,ok | length,ok | \
            surrogate,ok) f=${f%,ok} ;; esac
        case $f in
        prose | wrong | nan | deep | surrogate) gives invalid "$f" "$s" ;;
        length) gives truncated "$f" "$s" && asked 2 ;;
        *) gives ok "$f" "$s" ;;
        esac
    done
    before=$(requests)
    for f in 429 529 500 408 empty html cut; do
        before=$(requests)
        gives unreachable "$f" "$s,\"scope\":\"s$stream\"" && asked 3
    done
    for f in 401 404; do
        before=$(requests)
        gives forbidden "$f" "$s" && asked 1
    done
    for f in 402 429quota; do
        before=$(requests)
        gives 'no money' "$f" "$s" && asked 1
    done
    for f in 400 413 giant; do
        before=$(requests)
        gives invalid "$f" "$s" && asked 1
    done
    before=$(requests)
    gives unreachable 500final "$s" && asked 1
    before=$(requests)
    gives forbidden redirect "$s" && asked 1
    gives refused refusal "$s"
    says_not abcdefgh
    gives unreachable hang "$s,\"idle_ms\":1000,\"timeout_ms\":1500"
done
w=w
gives unreachable stall ',"idle_ms":1000'
says 'nothing came for 1 s'
gives ok cutprompt '' "$(echo "$request" | jq -c --arg t "$(yes word |
    head -n 3000 | tr '\n' ' ')" '.messages[0].text = $t')"
jq -e '.warning | test("seems to have cut it")' out >/dev/null ||
    fail "no warning of a cut prompt"

# Tools: ids that a server leaves empty are made up; null content is fine.
tools='{"messages":[{"role":"user","text":"Look."}],"tools":[{"name":"look",
"doc":"Looks.","schema":{"type":"object","properties":{"at":{"type":"string"}},
"required":["at"],"additionalProperties":false}}]}'
tools=$(echo "$tools" | tr -d '\n')
gives ok badids '' "$tools"
[ "$(jq -r '.calls[0] | .id + " " + .name' out)" = "call_1 look" ] ||
    fail "calls: $(cat out)"
for d in responses messages; do
    p=openai
    [ $d = responses ] || p=anthropic
    for f in ok fenced 429,ok 529,ok slow utf8 cut,ok; do
        gives ok $f ",\"dialect\":\"$d\",\"provider\":\"$p\""
        gives ok $f ",\"dialect\":\"$d\",\"provider\":\"$p\",\"stream\":false"
    done
    gives ok badids ",\"dialect\":\"$d\",\"provider\":\"$p\"" "$tools"
    gives refused refusal ",\"dialect\":\"$d\",\"provider\":\"$p\""
    gives truncated length ",\"dialect\":\"$d\",\"provider\":\"$p\""
done

gives unreachable failed ',"dialect":"responses"'
says 'the server says: it broke'
gives ok failed,ok ',"dialect":"responses","stream":false'

# A server that is down: three questions, then the breaker answers at once.
for i in 1 2 3 4; do
    before=$(date +%s%N)
    about "Say $i" | timeout 60 "$programs/model_ask" w \
        '{"haste":40,"base_url":"http://127.0.0.1:9/v1"}' >out
    [ "$(jq -r .status out)" = unreachable ] || fail "port 9: $(cat out)"
done
jq -e '.why | test("in a row")' out >/dev/null || fail "no breaker: $(cat out)"
gives off ok ',"on":false'

# Replay: what is recorded is given, all else is not sent.
before=$(requests)
export REA_MODEL=replay
w=wtrue
gives ok ok ',"stream":true'
gives unreachable ok '' "$(about 'Never said')"
unset REA_MODEL
asked 0

# The key is in one header and nowhere else; explaining shows no key either.
grep -q '"key_sent":true' log || fail "no key was sent"
if grep -rqa abcdefgh-12345678 w wtrue wfalse out; then fail "the key was written"; fi
echo '{"messages":[{"role":"user","text":"mail bob@example.com, sk-abcdefghijklmnop1234, abcdefgh-12345678-secret"}]}' |
    "$programs/model_ask" --explain w "{\"key\":\"env:MY_KEY\",\"base_url\":
    \"http://127.0.0.1:$port/ok/v1\"}" >out || fail "explain"
says '^POST http://127.0.0.1:'
says '3 places taken out'
says_not 'abcdefgh|bob@'
asked 0

# Certificates are checked: one that nobody signed is no server.
if command -v openssl >/dev/null; then
    openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 \
        -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    tls=$((port + 1))
    openssl s_server -accept $tls -cert c.pem -key k.pem -www -quiet \
        >/dev/null 2>&1 &
    server="$server $!"
    sleep 1
    tls_ask() {
        about "$1" | timeout 60 "$programs/model_ask" w "{\"haste\":40,
            \"base_url\":\"https://127.0.0.1:$tls/v1\",\"timeout_ms\":5000}" \
            >out || fail "tls"
        says unreachable
    }
    tls_ask 'By TLS'
    says 'certificate'
    export SSL_CERT_FILE="$dir/c.pem"
    tls_ask 'By TLS again'
    says_not 'certificate'
    unset SSL_CERT_FILE
fi

# The long parts: 200 calls, budgets, kill -9, several processes.
python3 "$top/test/lib/model_faults.py" "$programs" "$port" "$dir/log" \
    "$dir/long" || fail "see above"
