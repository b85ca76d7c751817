#!/bin/sh
# Fuzz smoke of TOML, project file, metric reader and diffs under ASan and UBSan, by
# mutations of seeds. FUZZ_COUNT, FUZZ_SEED: more, and others.
set -u
build=${BUILD:-build}
out=$build/fuzz
mkdir -p "$out"
count=${FUZZ_COUNT:-20000} seed=${FUZZ_SEED:-1}
for target in fuzz_toml fuzz_harvest fuzz_project fuzz_diff; do
	${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -Isrc -Itest/fuzz \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-o "$out/$target" "test/fuzz/$target.c" test/fuzz/main.c \
		src/base/*.c src/project/*.c src/core/space.c src/patch/diff.c \
		-ljansson -lsodium -lpcre2-8 -lm || exit 1
	n=$count
	[ $target != fuzz_project ] || n=$((count / 4))
	(cd "$out" && printf '%s: ' $target && "./$target" "$n" "$seed") || exit 1
done
