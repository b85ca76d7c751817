#!/bin/sh
# Fuzz smoke of what a model says, on its way to a proposal, a summary or a
# prompt, under ASan and UBSan. FUZZ_COUNT, FUZZ_SEED: more, and others.
set -u
build=${BUILD:-build}
out=$build/fuzz
mkdir -p "$out"
agent=$(ls src/agent/*.c | grep -v main.c)
# shellcheck disable=SC2086
${CC:-gcc} -std=c17 -D_GNU_SOURCE -DREA_DATADIR='"data"' -O0 -g -Isrc \
    -Itest/fuzz -fsanitize=address,undefined -fno-sanitize-recover=all \
    -o "$out/fuzz_agent" test/fuzz/fuzz_agent.c test/fuzz/main.c $agent \
    src/model/redact.c src/base/*.c src/math/*.c src/core/*.c src/project/*.c \
    src/papers/*.c src/research/*.c \
    -lsqlite3 -ljansson -lsodium -lpcre2-8 -lz -lm || exit 1
cd "$out" && printf 'fuzz_agent: ' &&
    ./fuzz_agent "$((${FUZZ_COUNT:-20000} / 4))" "${FUZZ_SEED:-1}"
