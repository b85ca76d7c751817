#!/bin/sh
# Builds test/unit/trainer/test_trainer.c against the trainer's objects and
# runs it: gradients, metrics, instruction sets, row parsers.
build=$(cd "${BUILD:-build}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd) && cd "$root" || exit 1
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
objects=$(ls "$build"/obj/trainer/*.o | grep -v '/main\.o$')
${CC:-gcc} -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -Isrc -I. \
    -o "$dir/test" test/unit/trainer/test_trainer.c $objects \
    "$build/librea.a" -lcmocka -lopenblas -lz -llzma -lm || exit 1
"$dir/test" >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
