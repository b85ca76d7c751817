#!/bin/sh
# Code patches that really improve the metric: added, signed, tested in the
# sandbox, promoted, combined, confirmed, proposed, and accepted as a branch.
# One that clashes with another is never combined with it.
. "$(dirname "$0")/patched.sh"
patch_workspace ws
export REA_SEED=7
make_patch src/model.awk 's/0.01 \* capacity/0.02 * capacity/' ../good.diff
make_patch src/model.awk 's/0.01 \* capacity/0.005 * capacity/' ../bad.diff
make_patch src/loss.awk 's/return x/return 1.5 * x/' ../loss.diff
sed -i 's/^total = .*/total = 70/' rea.toml && git commit -qam budget
want 0 "$rea" check; says 'runs confined, passes its smoke run'
want 0 "$rea" --json plan
jq -e '.hypotheses | length <= 2' out >/dev/null || fail "$(cat out)"
want 0 "$rea" hypothesis add --patch ../good.diff "more capacity" --why "small"
says 'src/model.awk  \+1 -1'; says 'passes its smoke run'
says 'approve --patch [0-9a-f]{12}'
sha=$(sha256sum ../good.diff | cut -c1-64)
want 0 "$rea" hypothesis add --patch ../bad.diff "less capacity"
says 'does not apply together with patch'
want 0 "$rea" hypothesis add --patch ../loss.diff "heavier" --gain 0.004
says 'class loss'; says_not 'does not apply'
want 2 "$rea" hypothesis add --patch ../good.diff "again"; says 'same change'
want 0 "$rea" hypothesis list --json
h=$(jq -r --arg s "$sha" '.hypotheses[] | select(.patch == $s).id' out)
bad=$(jq -r --arg s "$(sha256sum ../bad.diff | cut -c1-64)" \
    '.hypotheses[] | select(.patch == $s).id' out)
want 0 "$rea" show "$h"; says '^\+.*0.02 \* capacity'; says 'class model'
# the hash of the plan covers the patch
"$rea" report --json C1 >r.json
jq -e --arg s "$sha" '[.hypotheses[].change.patch // empty |
    select(.diff_sha256 == $s and .class == "model" and .added == 1 and
        .paths == ["src/model.awk"] and (.base_rev | length) == 40)] |
    length == 1' r.json >/dev/null || fail "report: $(cat r.json)"
want 0 "$rea" status
hash=$(sed -n 's/.*rea approve \([0-9a-f]*\).*/\1/p' out | head -n 1)
[ -n "$hash" ] || fail "no hash in $(cat out)"
want 0 "$rea" approve "$hash"
other=$(sha256sum ../loss.diff | cut -c1-64)
want 0 "$rea" approve --patch "$other" # before it runs is as good
want 0 "$rea" pin "$h"
# nothing of the patch runs before its own signature
"$rea" run --wait -q >out 2>err || :
until_state halted
want 0 "$rea" status C1; says 'approve --patch'
for f in .rea/runs/C1/T*/a1/spec.json; do
    jq -e --arg s "$other" '(.patches == [] or .patches == [$s]) and
        .sandbox == "bwrap"' "$f" >/dev/null ||
        fail "ran before its signature: $(cat "$f")"
done
want 2 "$rea" approve --patch 12345678abcd; says 'no patch'
want 2 "$rea" approve --patch 1234567; says '8 digits'
want 0 "$rea" approve --patch "$(echo "$sha" | cut -c1-12)"
# the other one waits in its turn, and is not wanted any more
"$rea" run --wait -q >out 2>err || :
if [ "$(state)" = halted ]; then
    want 0 "$rea" hypothesis drop "$bad"
    "$rea" resume C1 -q >out 2>err || :
    "$rea" run --wait -q >out 2>err || :
fi
[ "$(state)" = done ] || fail "$(state): $("$rea" log --all | tail -n 20)"
"$rea" report --json C1 >r.json
jq -e --arg h "$h" '.hypotheses[] | select(.id == $h).verdict == "promote"' \
    r.json >/dev/null || fail "no promotion: $("$rea" log --all)"
# both together are one configuration, built from both diffs
jq -e --arg s "$sha" --arg o "$other" '[.trials[].patches] |
    any(. == [$s, $o] or . == [$o, $s])' r.json >/dev/null ||
    fail "never combined: $("$rea" log --all)"
jq -e --arg b "$(sha256sum ../bad.diff | cut -c1-64)" '[.trials[].patches |
    select(length > 1 and any(. == $b))] | length == 0' r.json >/dev/null ||
    fail "patches that clash met"
jq -e --arg s "$sha" '(.proposal.patches | any(. == $s)) and
    (.proposal.patch | contains(".rea/patches/\($s).diff")) and
    .proposal.sealed.gain > 0.005' r.json >/dev/null ||
    fail "proposal: $(jq .proposal r.json)"
want 0 "$rea" why "$h"; says 'proved|proposal'
want 0 "$rea" diff E0 "$h"; says "patch $(echo "$sha" | cut -c1-12)"
want 0 "$rea" repro C1; says "git apply .*\.rea/patches/$sha.diff"
want 0 "$rea" repro C1 --run; says '^PASS'
[ -z "$(ls .rea/worktrees 2>/dev/null | grep -v lock)" ] ||
    fail "work trees are left: $(ls .rea/worktrees)"
[ -z "$(git status --porcelain -uno)" ] || fail "the checkout moved: $(git status --porcelain -uno)"
want 0 "$rea" replay C1
head=$(git rev-parse HEAD)
want 0 "$rea" accept C1; says 'branch rea/awk-C1'
git show rea/awk-C1:src/model.awk | grep -q '0.02 \* capacity' ||
    fail "the branch has no patch"
[ "$(git rev-parse HEAD)" = "$head" ] || fail "HEAD moved"
[ -z "$(git status --porcelain -- src)" ] || fail "the sources were touched"
git log -1 --format=%B rea/awk-C1 | grep -q "$sha" || fail "no text for review"
exit 0
