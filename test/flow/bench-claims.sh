#!/bin/sh
# bench-claims: counts what it should on a small corpus made here, refuses bad
# calls, and holds the bars on the labelled abstracts where these are there
# (../shared/papers or REA_PAPERS).
. "$(dirname "$0")/lib.sh"
bench=$build/bench-claims
[ -x "$bench" ] || fail "$bench is not built"
cat >corpus.jsonl <<'END'
{"id": "a", "title": "FooNet: Gates", "abstract": "We propose FooNet, a cross network like DeepFM. It improves AUC by 0.3% and CTR by 2%."}
{"id": "b", "title": "Of nothing", "abstract": "Nothing is claimed here."}
END
cat >labels.jsonl <<'END'
{"id": "a", "split": "dev", "proposed": ["FooNet"], "mentioned": ["DeepFM", "wukong"], "optional": [], "claims": [{"metric": "auc", "delta": 0.3, "unit": "percent", "setting": "offline"}, {"metric": "gmv", "delta": 2, "unit": "percent", "setting": "online"}]}
{"id": "b", "split": "test", "proposed": [], "mentioned": [], "optional": [], "claims": [{"setting": "online"}]}
END
want 0 "$bench" --corpus corpus.jsonl --labels labels.jsonl --json
python3 - <<'END' || fail "wrong counts: $(cat out)"
import json
d = json.load(open("out"))
def is_score(s, hits, found, labelled):
    assert (s["hits"], s["found"], s["labelled"]) == (hits, found, labelled), s
is_score(d["dev"]["claims_with_a_number"], 1, 2, 2)
is_score(d["dev"]["their_numbers_alone"], 2, 2, 2)
is_score(d["dev"]["techniques_proposed"], 1, 1, 1)
is_score(d["dev"]["techniques_mentioned"], 1, 1, 2)
is_score(d["test"]["claims_in_words"], 0, 0, 1)
assert abs(d["dev"]["claims"]["recall"] - 0.5) < 1e-9
assert d["rule"]
END
want 2 "$bench" --corpus corpus.jsonl
want 2 "$bench" --corpus nowhere.jsonl --labels labels.jsonl
echo '{"id": "c", "split": "dev", "claims": []}' >>labels.jsonl
want 1 "$bench" --corpus corpus.jsonl --labels labels.jsonl
says '1 labels without'
papers=${REA_PAPERS:-$top/../shared/papers/recsys_abstracts.jsonl.gz}
[ -e "$papers" ] || exit 0
want 0 "$bench" --corpus "$papers" \
    --labels "$top/bench/research/labels.jsonl" --json
python3 - <<'END' || fail "below the bars: $(cat out)"
import json
d = json.load(open("out"))
for split in ("dev", "test"):
    for what in ("claims", "techniques"):
        s = d[split][what]
        assert s["precision"] >= 0.9 and s["recall"] >= 0.6, (split, what, s)
END
exit 0
