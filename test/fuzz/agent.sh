#!/bin/sh
# Fuzz smoke of what a model says, on its way to a proposal, a summary or a
# prompt, under ASan and UBSan. FUZZ_COUNT, FUZZ_SEED: more, and others.
set -u
build=${BUILD:-build}
out=$build/fuzz
mkdir -p "$out"
make -s BUILD="$build" asan-lib || exit 1
${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -Isrc -Itest/fuzz \
    -fsanitize=address,undefined -fno-sanitize-recover=all \
    -o "$out/fuzz_agent" test/fuzz/fuzz_agent.c test/fuzz/main.c \
    "$build/asan/librea-agent.a" "$build/asan/librea.a" \
    -lsqlite3 -ljansson -lsodium -lpcre2-8 -lcurl -lz -lm || exit 1
cd "$out" && printf 'fuzz_agent: ' &&
    ./fuzz_agent "$((${FUZZ_COUNT:-20000} / 4))" "${FUZZ_SEED:-1}"
