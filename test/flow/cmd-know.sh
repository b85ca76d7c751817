#!/bin/sh
# insights, papers, runbook: in, out and back again.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
want 0 "$rea" insight list; says 'no insight'
want 0 "$rea" insight add "row-wise adagrad beats sgd" concept=optimizer \
    to=adagrad effect=0.0006 sd=0.0002
says '^I[0-9]+ added'
id=$(sed -n 's/^\(I[0-9]*\) added/\1/p' out)
want 2 "$rea" insight add "no numbers"; says 'effect'
want 2 "$rea" insight add "x" effct=1; says 'no field'
want 0 "$rea" insight show "$id"; says 'adagrad'; short
want 0 "$rea" insight search adagrad; says "$id"
want 0 "$rea" insight promote "$id"
want 0 "$rea" insight list --promoted; says "$id"; short
want 2 "$rea" insight show I999999
want 0 "$rea" insight export --own -o own.jsonl
want 0 "$rea" insight export -o all.jsonl
[ "$(wc -l <all.jsonl)" -gt 100 ] || fail "the public set is missing"
mkdir ../other && cp rea.toml ../other
want 0 "$rea" -C ../other insight import own.jsonl; says '1 added'
want 0 "$rea" -C ../other insight import own.jsonl; says '0 added'
want 0 "$rea" -C ../other insight export -o again.jsonl
cmp all.jsonl again.jsonl || fail "export, import, export differ"
printf 'not json\n' >bad.jsonl
want 0 "$rea" insight import bad.jsonl; says '1 bad'
mkdir papers
cat >papers/fm.md <<'END'
# Factorization machines
A factorization machine models all pairwise interactions of features with
embeddings; its learning rate and embedding dimension matter most.
END
want 0 "$rea" research add papers; says '1 papers added'
want 0 "$rea" research search pairwise interactions; says 'actorization'
want 0 "$rea" research ask; short
want 0 "$rea" research ask embedding dimension; says 'actorization'
want 0 "$rea" runbook list; short
printf 'epoch 1\nRuntimeError: CUDA out of memory. Tried to allocate 2 GiB\n' >l
want 0 "$rea" runbook test l; says 'decides'; says 'line 2'
printf 'torch.OutOfMemoryError: gave up\n' >>l
want 0 "$rea" runbook test l; says 'decides: specific'; says 'cuda-oom is specific'
want 0 "$rea" runbook test l --json
jq -e '[.matches[] | [.id, .rank, .decides, .line_no]] ==
    [["cuda-oom", "specific", true, 2], ["torch-oom-error", "plain", false, 3]]' \
    out >/dev/null || fail "$(cat out)"
want 0 "$rea" runbook list --json
jq -e '(.rules | length) >= 80 and all(.rules[]; (.id, .pattern, .class,
    .remedy, .source) | type == "string" and . != "")' out >/dev/null ||
    fail "runbook list --json"
printf 'epoch 1 loss 0.3\n' >l
want 0 "$rea" runbook test l; says 'no rule matches'
want 2 "$rea" runbook test nowhere.log
exit 0
