#!/bin/sh
# Fuzz smoke of TOML, project file, metric reader, the rules of claims, the
# readers of other programs' trials, diffs, replies of models and callbacks
# under ASan and UBSan,
# by mutations of seeds. FUZZ_COUNT, FUZZ_SEED: more, and others.
set -u
build=${BUILD:-build}
out=$build/fuzz
mkdir -p "$out"
count=${FUZZ_COUNT:-20000} seed=${FUZZ_SEED:-1}
make -s BUILD="$build" asan-lib || exit 1
for target in fuzz_toml fuzz_harvest fuzz_project fuzz_claim fuzz_wandb \
	fuzz_journal fuzz_model fuzz_diff fuzz_callback; do
	${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -Isrc -Itest/fuzz \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-o "$out/$target" "test/fuzz/$target.c" test/fuzz/main.c \
		"$build/asan/librea-agent.a" "$build/asan/librea.a" \
		-lsqlite3 -ljansson -lsodium -lpcre2-8 -lcurl -lz -lm || exit 1
	n=$count
	case $target in fuzz_project | fuzz_claim) n=$((count / 4)) ;; esac
	(cd "$out" && printf '%s: ' $target && "./$target" "$n" "$seed") || exit 1
done
