#!/bin/sh
# Hostile diffs: each is refused with a reason and a remedy; nothing is run,
# nothing is written outside the patches' folder, no control character reaches
# the terminal, and the plan stays what it was.
. "$(dirname "$0")/patched.sh"
patch_workspace ws
sed -i 's|^paths = .*|paths = ["src/**", "train.sh"]|' rea.toml
ln -s /tmp src/link && ln -s ../main.awk src/link.awk
git add -A && git commit -qm links
for hook in post-checkout post-index-change post-applypatch pre-commit; do
    printf '#!/bin/sh\necho $0 >>%s/HACKED\n' "$dir" >.git/hooks/$hook
    chmod +x .git/hooks/$hook
done
export REA_SEED=3
want 0 "$rea" plan
before=$("$rea" hypothesis list --json)
find "$dir" -path "$dir/ws/.rea" -prune -o -type f -print | sort >../files
n=0
refused() { # FILE
    timeout 60 "$rea" hypothesis add --patch "$1" "hostile" >out 2>err </dev/null
    got=$?
    [ $got = 2 ] || fail "$1 -> $got: $(cat out err)"
    grep -q 'remedy: ' err || fail "$1: no remedy: $(cat err)"
    ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f-\x9f]|\xe2\x80[\xaa-\xae]' \
        out err || fail "$1: control characters: $(cat -v err)"
    n=$((n + 1))
}
for f in "$top"/test/hostile/patches/*.diff; do
    refused "$f"
    case $f in # told by its own reason, not by an accident
    *dotdot* | *absolute* | *quoted* | *git-* | *gitattr* | *gitmod* | \
        *option-name*) says 'no path that a patch may change' ;;
    *symlink* | *submodule* | *mode* | *executable*) says 'change modes' ;;
    *rename* | *copy*) says 'rename|no path' ;;
    *binary*) says 'binary part' ;;
    *count-lie* ) says 'counts|announces|place|changes nothing' ;;
    *makefile* | *ci.diff | *setup-py*) says 'builds|outside' ;;
    *outside* | *project-file*) says 'outside \[patch\] paths' ;;
    *instructions* | *trailing*) says 'belongs to no file' ;;
    *escape* | *bidi* | *nul.diff | *crlf*) says 'control|UTF-8|no path' ;;
    *does-not-apply*) says 'does not apply' ;;
    *link-target*) says 'is a link' ;;
    *through-link*) says 'beyond a symbolic link|does not apply' ;;
    esac
done
# too large for a file of the suite
{
    printf -- '--- /dev/null\n+++ b/src/big.awk\n@@ -0,0 +1 @@\n+'
    head -c 9000 /dev/zero | tr '\0' x
    echo
} >../line.diff
refused ../line.diff; says 'more than 8192 bytes'
{
    printf -- '--- /dev/null\n+++ b/src/big.awk\n@@ -0,0 +1,300000 @@\n'
    yes '+x = 1' | head -n 300000
} >../huge.diff
refused ../huge.diff
refused /dev/null
refused "$dir"
[ "$n" -ge 50 ] || fail "only $n patches were looked at"
[ "$("$rea" hypothesis list --json)" = "$before" ] || fail "the plan changed"
find "$dir" -path "$dir/ws/.rea" -prune -o -type f -print | sort |
    grep -vE "/ws/(out|err)$|/(line|huge)\.diff$|/(files|after)$" >../after
grep -vE "/ws/(out|err)$|/(files|after)$" ../files | diff - ../after ||
    fail "files appeared"
[ ! -e "$dir/HACKED" ] || fail "a hook ran: $(cat "$dir/HACKED")"
[ ! -e /tmp/rea-hostile ] || fail "a file outside"
[ -z "$(ls .rea/worktrees 2>/dev/null | grep -v '\.lock$')" ] ||
    fail "a work tree was kept"
# and one that is in order is taken
make_patch src/model.awk 's/0.70/0.71/' ../fine.diff
rm -f "$dir/HACKED" # git checkout of the test itself
want 0 "$rea" hypothesis add --patch ../fine.diff "fine"
[ ! -e "$dir/HACKED" ] || fail "a hook ran: $(cat "$dir/HACKED")"
exit 0
