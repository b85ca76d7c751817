#!/bin/sh
# Fuzz smoke of TOML, project file, metric reader, the rules of claims, the
# readers of other programs' trials, diffs and replies of models under ASan and UBSan,
# by mutations of seeds. FUZZ_COUNT, FUZZ_SEED: more, and others.
set -u
build=${BUILD:-build}
out=$build/fuzz
mkdir -p "$out"
count=${FUZZ_COUNT:-20000} seed=${FUZZ_SEED:-1}
claims="src/papers/claim.c src/papers/claim_token.c src/papers/claim_number.c
src/papers/metric_word.c src/papers/technique.c src/papers/technique_find.c
src/papers/technique_name.c src/papers/evidence.c"
for target in fuzz_toml fuzz_harvest fuzz_project fuzz_claim fuzz_wandb \
	fuzz_journal fuzz_model fuzz_diff; do
	more=
	case $target in
	fuzz_claim) more=$claims ;;
	fuzz_wandb) more="src/research/insight_wandb.c src/research/insight_runs.c" ;;
	fuzz_journal) more="src/research/insight_optuna.c src/research/insight_csv.c
		src/research/insight_runs.c -lsqlite3" ;;
	fuzz_model) for f in sse decode decode_own mend schema retry redact; do
		more="$more src/model/$f.c"; done ;;
	fuzz_diff) more=src/patch/diff.c ;;
	esac
	# shellcheck disable=SC2086
	${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -Isrc -Itest/fuzz \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-o "$out/$target" "test/fuzz/$target.c" test/fuzz/main.c \
		src/base/*.c src/project/*.c src/core/space.c $more \
		-ljansson -lsodium -lpcre2-8 -lm || exit 1
	n=$count
	case $target in fuzz_project | fuzz_claim) n=$((count / 4)) ;; esac
	(cd "$out" && printf '%s: ' $target && "./$target" "$n" "$seed") || exit 1
done
