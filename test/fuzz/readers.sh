#!/bin/sh
# Fuzz smoke of the readers of papers (build/rea-read) under ASan and UBSan, by
# mutations of seeds. FUZZ_COUNT, FUZZ_SEED: more, and others.
set -u
build=${BUILD:-build}
out=$build/fuzz-read
mkdir -p "$out"
count=${FUZZ_COUNT:-4000} seed=${FUZZ_SEED:-1}
sources="src/base/*.c src/papers/read/doc.c src/papers/read/text.c
 src/papers/read/latex.c src/papers/read/bibtex.c src/papers/read/xml.c
 src/papers/read/json.c"
# Objects once, not once a target.
objects=
for f in $sources test/fuzz/main.c; do
	o=$out/$(echo "$f" | tr / _).o
	${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -Isrc -Itest/fuzz \
		-I/usr/include/libxml2 -fsanitize=address,undefined \
		-fno-sanitize-recover=all -c -o "$o" "$f" || exit 1
	objects="$objects $o"
done
for name in latex bibtex markdown html atom json; do
	# shellcheck disable=SC2086
	${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -Isrc -Itest/fuzz \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-o "$out/fuzz_read_$name" "test/fuzz/fuzz_read_$name.c" $objects \
		-lxml2 -ljansson -lsodium -lm || exit 1
	(mkdir -p "$out/$name" && cd "$out/$name" && printf '%s: ' $name &&
		"../fuzz_read_$name" "$count" "$seed") || exit 1
done
