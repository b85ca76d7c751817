#!/bin/sh
# Patches and plans: a redrafted plan keeps a patch that still applies, classes
# decide which need a signature, a build is part of it, a workspace may lie
# below the repository's top, and what was signed is what runs.
. "$(dirname "$0")/patched.sh"
mkdir repo && cd repo || exit 1
patch_workspace inner
rm -rf .git && cd .. && git init -q . && git add -A && git commit -qm base ||
    fail "git"
cd inner || exit 1
export REA_SEED=17
sed -i 's|^paths = .*|paths = ["inner/src/**"]\nbuild = "sh build.sh"\ngate = ["loss"]|
    s|"src/model\*"|"inner/src/model*"|; s|"src/loss\*"|"inner/src/loss*"|
    s|^total = .*|total = 20|' rea.toml
cat >build.sh <<'SH'
# what a compiler would do: it fails on what it does not know
! grep -q SYNTAX src/*.awk || { echo "build: SYNTAX ERROR in src"; exit 1; }
cat src/model.awk >built
touch src/../../by-build
SH
sed -i 's|-f src/model.awk|-f built|' train.sh
git add -A && git commit -qm build
make_patch src/model.awk 's/0.01 \* capacity/0.03 * capacity/' ../../good.diff
make_patch src/model.awk 's/gain = /SYNTAX /' ../../broken.diff
make_patch src/loss.awk 's/return x/return x + 0/' ../../loss.diff
want 0 "$rea" plan; says 'all jobs run from commit'; says '0 patches'
want 2 "$rea" hypothesis add --patch ../../broken.diff "broken"
says 'build: SYNTAX ERROR in src'; says 'remedy: mend it'
want 0 "$rea" hypothesis add --patch ../../good.diff "better"
says 'builds, passes its smoke run'; says_not 'approve --patch'
want 0 "$rea" hypothesis add --patch ../../loss.diff "same loss"
says 'rea approve --patch'
[ ! -e by-build ] && [ ! -e ../by-build ] || fail "the build wrote outside"
# a new draft keeps both, on a commit where they still apply
echo '# note' >>main.awk && git commit -qam note
want 0 "$rea" --json plan
jq -e --arg b "$(git rev-parse HEAD)" '[.hypotheses[].change.patch //
    empty | select(.base_rev == $b)] | length == 2' out >/dev/null ||
    fail "not carried: $(cat out)"
jq -e '[.hypotheses[].change.patch // empty | .gated] | sort == [false, true]' \
    out >/dev/null || fail "gates: $(cat out)"
# where one no longer applies it is left out, and that is said
sed -i 's/return x/return x * 1/' src/loss.awk && git commit -qam conflict
want 0 "$rea" plan; says 'the patch of "same loss" was left out'
# data that would hide the patch is refused
sed -i 's|^gate = .*|&\nread = ["src"]|' rea.toml
want 0 "$rea" plan; says 'the patch of "better" was left out: '
want 2 "$rea" hypothesis add --patch ../../good.diff "better"
says 'no job would see the patch'
sed -i 's|^read = .*|read = ["."]|' rea.toml && "$rea" plan -q >/dev/null
want 2 "$rea" hypothesis add --patch ../../good.diff "better"
says 'holds the repository'
sed -i '/^read = /d' rea.toml
want 0 "$rea" plan
want 0 "$rea" hypothesis add --patch ../../good.diff "better"
sha=$(sha256sum ../../good.diff | cut -c1-64)
hash=$("$rea" status | sed -n 's/.*rea approve \([0-9a-f]*\).*/\1/p' | head -n 1)
want 0 "$rea" approve "$hash"
# the policy is held to what was signed
cp rea.toml good.toml
sed -i 's|inner/src/\*\*|inner/**|' rea.toml
want 3 "$rea" run; says 'patch.paths'
cp good.toml rea.toml
# a diff that is changed after its signature does not run: its trials fail with
# the reason, and the rest goes on
chmod u+w ".rea/patches/$sha.diff"
sed -i 's/0.03/0.04/' ".rea/patches/$sha.diff"
rm -rf .rea/worktrees
"$rea" run --wait -q >out 2>err || :
"$rea" log --all >log
grep -q 'was changed after it was approved' log || fail "no reason: $(cat log)"
grep -q 'H[0-9]*: failed' log || fail "no verdict: $(cat log)"
for f in .rea/runs/C1/T*/a1; do
    jq -e '.patches == []' "$f/spec.json" >/dev/null ||
        [ ! -s "$f/work/metrics.jsonl" ] || fail "a changed diff ran: $f"
done
exit 0
