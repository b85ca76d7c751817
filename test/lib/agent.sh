# For the agent-*.sh tests: a scripted model behind a server on loopback.
# shellcheck shell=bash
command -v python3 >/dev/null || skip "no python3"
[ -x "$build/rea-agent" ] || fail "rea-agent is not built"
server=
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
serve() { # SCRIPT: starts the server in its place; its log is talk.log
    [ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null; }
    rm -f port talk.log
    python3 "$top/test/lib/talk_server.py" "$1" talk.log >port &
    server=$!
    i=0
    while [ ! -s port ]; do
        i=$((i + 1))
        [ $i -lt 100 ] || fail "no server"
        sleep 0.1
    done
    base=http://127.0.0.1:$(cat port)/v1
}
model() { # LINES...: a [model] at the server, with these lines
    sed -i '/^\[model\]/,$d' rea.toml
    printf '[model]\nprovider = "vllm"\nmodel = "scripted"\nstream = false\n%s\n' \
        "base_url = \"$base\"" >>rea.toml
    printf '%s\n' "$@" >>rea.toml
}
requests() { [ ! -f talk.log ] || grep -c "\"purpose\": \"${1:-}" talk.log; }
ideas() { # FILE: how many ideas of a plan are a model's
    jq -r '[.hypotheses[] | select(.evidence[]? | tostring |
        test("proposed by"))] | length' "$1"
}
paper() { # a corpus of one paper
    printf '%s\n' '{"id":"arXiv:2304.00902","title":"Wider embeddings",
"date":"2023-07-01","abstract":"We find that a larger embedding size improves
click-through rate prediction on large data sets by 0.1 percent AUC."}' |
        tr '\n' ' ' >papers.jsonl
    want 0 "$rea" research add papers.jsonl
}
# A conversation that looks, proposes well and badly, and criticises itself.
full() {
    cat <<'J'
{"turns": [
 {"purpose": "hypotheses", "text": "I look around.", "calls": [
  {"name": "read_knob_catalogue", "args": "{}"},
  {"name": "search_papers", "args": "{\"query\": \"embedding size\"}"},
  {"name": "read_baseline_profile", "args": "{}"}]},
 {"purpose": "hypotheses", "calls": [
  {"name": "propose_hypothesis", "args": "{\"statement\": \"a much wider embedding\", \"rationale\": \"the paper found so\", \"changes\": [{\"knob\": \"dim\", \"value\": \"57\"}], \"evidence\": [{\"ref\": \"P1\", \"quote\": \"a larger embedding size improves click-through rate prediction\"}]}"},
  {"name": "propose_hypothesis", "args": "{\"statement\": \"out of range\", \"rationale\": \"r\", \"changes\": [{\"knob\": \"dim\", \"value\": \"5700\"}], \"evidence\": []}"},
  {"name": "propose_hypothesis", "args": "{\"statement\": \"slow and wide\", \"rationale\": \"r\", \"changes\": [{\"knob\": \"lr\", \"value\": \"0.0043\"}, {\"knob\": \"dim\", \"value\": \"33\"}], \"evidence\": []}"}]},
 {"purpose": "hypotheses", "calls": [{"name": "finish", "args": "{}"}]},
 {"purpose": "reflection", "text": "{\"drop\": [{\"proposal\": \"Q2\", \"why\": \"two changes at once\"}]}"}
]}
J
}
