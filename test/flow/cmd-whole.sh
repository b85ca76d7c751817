#!/bin/sh
# A shell script by environment from plan to accept, every reading verb on the
# way, in a git checkout.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
git init -q . && git config user.email t@x && git config user.name t
printf '.rea/\nout\nerr\n*.json\n' >.gitignore
git add -A && git commit -qm first || fail git
want 0 "$rea" check; short
sign
want 0 "$rea" run --wait; short
for v in status "status C1" "why C1" "why H1" "why E0" "why T1" "why J1" \
    "show C1" "show H1" "show E0" "show T2" "show J2" "log" "log T1" "log J1" \
    "hypothesis list" "hypothesis show H2" "diff E0 E1" "diff T1 T2" \
    "report" "repro T3" "repro C1" "insight list --own" "budget C1"; do
    # shellcheck disable=SC2086
    want 0 "$rea" $v; short
    # shellcheck disable=SC2086
    [ "$v" = "report" ] || { want 0 "$rea" $v --json; jq . out >/dev/null ||
        fail "$v --json: $(head -c 300 out)"; }
done
want 0 "$rea" report --md; says '^# '
want 2 "$rea" show T99999; says 'T'
want 2 "$rea" show X1; says 'no id'
want 2 "$rea" status nomodel; says 'no campaign'
want 0 "$rea" replay C1; says 'PASS'
jq -n . >/dev/null
want 0 "$rea" repro T3 --run; says 'PASS.*last bit'
winner=$("$rea" --json report | jq -r '.proposal.experiment')
[ "$winner" != null ] || fail "no proposal: $("$rea" status C1)"
want 0 "$rea" repro "$winner" --run; says '^PASS'
# The commit is the one that ran, whatever was committed since.
ran=$(git rev-parse HEAD)
: >later && git add later && git commit -qm later || fail git
want 0 "$rea" repro T3; says "git checkout $ran$"
# Another trainer gives another result: FAIL, exit 4.
cp train.sh keep.sh && sed -i 's/auc = .73/auc = .75/' train.sh
want 4 "$rea" repro "$winner" --run; says '^FAIL'
cp keep.sh train.sh && rm keep.sh
lr=$("$rea" --json report | jq -r '.proposal.knobs.lr // 0.01')
git checkout -q -b mine && before=$(git rev-parse HEAD)
want 0 "$rea" accept C1; short; says 'branch rea/shell-C1'
grep -q "^default = $lr" rea.toml || fail "lr = $lr is not in rea.toml"
git show rea/shell-C1:rea.toml | cmp - rea.toml || fail "branch has other text"
[ "$(git rev-parse HEAD)" = "$before" ] || fail "accept moved my branch"
git diff --cached --quiet || fail "accept touched the index"
want 0 "$rea" plan; says '^C2 '
exit 0
