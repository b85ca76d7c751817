#!/bin/sh
# Help of every verb, did-you-mean, usage errors, man pages, completion.
. "$(dirname "$0")/lib.sh"
want 0 "$rea" help
"$build/tools/gen-docs" commands | sed -n 's/^## rea //p' >verbs
[ "$(wc -l <verbs)" -ge 35 ] || fail "only $(wc -l <verbs) verbs"
while read -r verb; do
    # shellcheck disable=SC2086
    want 0 "$rea" help $verb
    says "^rea $verb"
    # shellcheck disable=SC2086
    want 0 "$rea" $verb --help
done <verbs
want 2 "$rea" staus; says 'Did you mean "status"'
want 2 "$rea" insight lst; says 'Did you mean "insight list"'
want 2 "$rea" plan --from-insihgts=no; says 'Did you mean --from-insights'
want 2 "$rea" approve; says 'needs: HASH'
want 2 "$rea" wake C1 C2; says 'too many'
want 2 "$rea" --frob; says 'no option'
want 2 "$rea" -C /nowhere status; says 'nowhere'
want 2 "$rea" --json frobnicate
jq -e '.error.exit == 2' out >/dev/null || fail "json error: $(cat out)"
want 0 "$rea"; says 'no workspace'; short
want 0 "$rea" --json status
jq -e '.campaigns == []' out >/dev/null || fail "status: $(cat out)"
want 2 "$rea" run; says 'remedy: rea init'
"$build/tools/gen-docs" bash >c.bash && bash -n c.bash || fail "bash completion"
grep -q 'hypothesis) words=" add' c.bash || fail "completion of hypothesis"
"$build/tools/gen-docs" zsh | grep -q "'approve:" || fail "zsh completion"
command -v scdoc >/dev/null || { echo "no scdoc: man pages not built"; exit 0; }
"$build/tools/gen-docs" pages >pages
while read -r page; do
    "$build/tools/gen-docs" man "$page" | scdoc >"$page.1" || fail "$page"
done <pages
exit 0
