#!/bin/sh
# Fuzz smoke of TOML, project file, metric reader and replies of models under
# ASan and UBSan, by mutations of seeds. FUZZ_COUNT, FUZZ_SEED: more, others.
set -u
build=${BUILD:-build}
out=$build/fuzz
mkdir -p "$out"
count=${FUZZ_COUNT:-20000} seed=${FUZZ_SEED:-1}
for target in fuzz_toml fuzz_harvest fuzz_project fuzz_model; do
	more=
	[ $target != fuzz_model ] || for f in sse decode decode_own mend schema \
		retry redact; do more="$more src/model/$f.c"; done
	# shellcheck disable=SC2086
	${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -Isrc -Itest/fuzz \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-o "$out/$target" "test/fuzz/$target.c" test/fuzz/main.c \
		src/base/*.c src/project/*.c src/core/space.c $more \
		-ljansson -lsodium -lpcre2-8 -lm || exit 1
	n=$count
	[ $target != fuzz_project ] || n=$((count / 4))
	(cd "$out" && printf '%s: ' $target && "./$target" "$n" "$seed") || exit 1
done
