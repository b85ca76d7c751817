# Adding and asking: every answer says which question found it and on which
# rank; dates are kept; the fit of the model changes the questions; PDF needs
# pdftotext.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"

shell_model ws
cd ws || exit 1
want 0 "$rea" research ask; says 'corpus is empty'; short
python3 - >papers.jsonl <<'END'
import json
rank = "click feature cross embedding network interaction user gate".split()
cook = "soup bread oven salt dough kettle pepper recipe".split()
for i in range(80):
    w = rank if i % 2 == 0 else cook
    print(json.dumps({"id": f"p{i}", "date": f"{2010 + i % 12}-0{1 + i % 9}",
        "title": f"{w[i % 8]} {w[i // 8 % 8]} {i}", "license": "CC0",
        "abstract": " ".join(w[(i * k + k) % 8] for k in range(1, 9))}))
END
want 0 "$rea" research add --source=hand papers.jsonl; short
says '80 papers added'; says 'trained on this corpus'; says 'limits'
want 0 "$rea" research ask; short; says 'found by'; says 'knob'
want 0 "$rea" --json research ask feature interaction of users
jq -e '.questions | length == 1' out >/dev/null || fail "$(cat out)"
jq -e '.questions[0] | (.styles | length) as $n |
    (.answers | length) > 10 and all(.answers[];
        .licence == "CC0" and .source == "hand" and (.found_by | length) > 0
        and all(.found_by[]; .style < $n and ((.bm25 // 0) + (.dense // 0)) > 0
        ))' out >/dev/null || fail "found_by: $(cat out)"
want 0 "$rea" --json research ask --before=2012 feature interaction of users
jq -e '.questions[0].answers | length > 0 and all(.[]; .date < "2012")' out \
    >/dev/null || fail "before: $(cat out)"
want 0 "$rea" --json research ask --fit=over
jq -e '[.questions[].styles[] | select(.kind == "weakness")] | length > 0' \
    out >/dev/null || fail "weakness: $(cat out)"
want 0 "$rea" --json research ask
jq -e '[.questions[].styles[] | select(.kind == "weakness")] | length == 0' \
    out >/dev/null || fail "no weakness is known: $(cat out)"
want 2 "$rea" research ask --fit=much; says 'under, over'

# PDF: through pdftotext, and a clear word where there is none.
cp "$top/test/hostile/papers/launch.pdf" good.pdf
if command -v pdftotext >/dev/null; then
    want 0 "$rea" research add good.pdf; says '1 papers added'
    want 0 "$rea" research search launch actions; says 'Launch actions'
fi
mkdir empty
cat >reader <<END
#!/bin/sh
PATH=$PWD/empty exec $build/rea-read "\$@"
END
chmod +x reader
want 0 env "REA_READ=$PWD/reader" "$rea" --json research add good.pdf
jq -e '.problems[0].why | test("poppler-utils")' out >/dev/null ||
    fail "no pdftotext: $(cat out)"
echo "$test_name: ok"
