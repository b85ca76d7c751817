#!/bin/sh
# The two sources, live: the library as it stood before gdcn was published, a
# knob of the trainer that offers it, and no insight that knows it. The plan
# proposes it only when the corpus holds a paper that names it and research may
# speak; the proposal cites the DOI; Validation trains it and decides.
. "$(dirname "$0")/lib.sh"
"$build/rea-ctr" --generate=data --rows=3000 --gen-seed=1 --gen-vocab=100 ||
    fail generate
cat >rea.toml <<END
schema = 1
[project]
name = "live"
[train]
command = "$build/rea-ctr --data=data --cache=cache --metrics={metrics_file} --predict-split=none --hidden=16 --dim=8 --max-cpu=0.5 {knobs}"
seed = "seed"
[resources]
cpus = 1
time = "2m"
[metric.valid_auc]
primary = true
goal = "max"
min_gain = 0.002
from = "jsonl"
key = "valid.auc"
reduce = "best"
[metric.core_hours]
goal = "min"
key = "core_hours"
[budget]
unit = "core_hours"
total = 0.002
per_trial = 0.00015
max_parallel = 1
cost_metric = "core_hours"
[knob.model]
type = "choice"
values = ["fm", "deepfm", "dcnv2", "gdcn"]
default = "dcnv2"
[knob.lr]
type = "float"
range = [1e-4, 1e-1]
scale = "log"
default = 1e-3
END
cut=--library=2021-12-31
gdcn='research .* Set model to gdcn'
proposes() { # [option]: plans; does the research source propose gdcn?
    want 0 "$rea" plan $cut "$@"
    want 0 "$rea" hypothesis list
    grep -qE "$gdcn" out
}
# without a corpus, and with one that speaks of other things
! proposes || fail "proposed without a paper"
# no shipped insight knows it
want 0 "$rea" insight export -o all.jsonl
[ "$(wc -l <all.jsonl)" -gt 1000 ] || fail "the public set is missing"
! grep -qi gdcn all.jsonl || fail "an insight knows gdcn"
mkdir papers
cat >papers/other.md <<'END'
# On deeper crosses
We stack more cross layers on a deep network for clicks and look at what a
learning rate does to them. Nothing is filtered.
END
want 0 "$rea" research add papers; says '1 papers added'
! proposes || fail "proposed by a paper that does not name it"
# the paper comes
cat >papers/new.jsonl <<'END'
{"id": "10.1145/3583780.3615089", "date": "2023-10-21", "title": "A cross network with gates", "abstract": "Each cross layer of our Gated Deep Cross Network (GDCN) has a gate which lets through the crosses that help and keeps out those that do not."}
END
want 0 "$rea" research add papers; says '1 papers added'
! proposes --from-research=no || fail "proposed though research is off"
! proposes --before=2022-06-30 || fail "proposed before it was published"
proposes --from-insights=no || fail "research alone does not propose it"
proposes || fail "not proposed: $(cat out)"
h=$(sed -nE "s/^(H[0-9]+) .*$gdcn.*/\1/p" out)
want 0 "$rea" hypothesis show "$h"
says 'doi.org/10.1145/3583780.3615089'
says 'History has nothing|base rate'
# Validation decides
"$rea" --json plan $cut >plan.json || fail "plan: $?"
want 0 "$rea" approve "$(jq -r .hash plan.json)"
REA_SEED=1 want 0 "$rea" run C1 --wait
"$rea" --json report C1 >report.json || fail report
jq -e ".hypotheses[] | select(.id == \"$h\") | .change.model ==
    \"gdcn\" and .trials > 0 and .effect.mean != null and
    (.verdict | IN(\"open\", \"none\") | not)" report.json >/dev/null ||
    fail "not judged: $(jq -c ".hypotheses[] | select(.id == \"$h\")" report.json)"
want 0 "$rea" log C1
says "$h"
# the shared abstracts, where they are
all=${REA_PAPERS:-$top/../shared/papers}/recsys_abstracts.jsonl.gz
[ -f "$all" ] || { echo "$test_name: no $all: own papers only"; exit 0; }
mkdir many && cp rea.toml many
gzip -dc "$all" >many.jsonl && cd many || exit 1
want 0 "$rea" research add ../many.jsonl
proposes || fail "the shared abstracts do not bring it"
exit 0
