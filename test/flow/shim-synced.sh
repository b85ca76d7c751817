#!/bin/sh
# What a job has left is synced before its exit.json can be believed: a loss of
# power must not keep the one and lose the others. Asks the system's own record
# of the supervisor's calls.
command -v strace >/dev/null || { echo "strace is not there: skipped"; exit 77; }
. test/lib/shim.sh
cat >"$T/traced" <<END
#!/bin/sh
exec strace -f -y -o "$T/calls" -e trace=fsync,rename,renameat,renameat2 \
    "$REA_SHIM" "\$@"
END
chmod +x "$T/traced"
real=$REA_SHIM
REA_SHIM=$T/traced
export REA_SHIM
submit job -- \
    sh -c 'echo "{\"auc\": 0.7}" >"$0"; echo said' "$T/job/metrics.jsonl"
ended job "done ok 0 0"
REA_SHIM=$real
line() { # PATTERN: where it is first found
    n=$(grep -n "$1" "$T/calls" | head -n 1 | cut -d: -f1)
    [ -n "$n" ] || fail "no $1 in: $(cat "$T/calls")"
    echo "$n"
}
told=$(line 'rename.*exit\.json') || exit 1
for file in metrics.jsonl stdout.log stderr.log exit.tmp; do
    at=$(line "fsync(.*/$file>") || exit 1
    [ "$at" -lt "$told" ] || fail "$file is synced after exit.json is there"
done
sed -n "$told,\$p" "$T/calls" | grep -q 'fsync(.*/job>' ||
    fail "the folder is not synced after the rename"
