# For the cmd-*.sh tests: a private folder, the program, and a few words.
# shellcheck shell=sh
test_name=$(basename "$0" .sh)
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
case $build in /*) ;; *) build=$top/$build ;; esac
rea=$build/rea
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export HOME="$dir" USER=tester LC_ALL=C
unset REA_SEED REA_CLOCK
[ -x "$rea" ] || { echo "$test_name: $rea is not built"; exit 1; }

fail() { echo "$test_name: $*" >&2; exit 1; }
skip() { echo "$test_name: skipped: $*"; exit 77; }
# want CODE COMMAND...: runs it, output to out and err, checks the exit code.
want() {
    want_rc=$1
    shift
    timeout 120 "$@" >out 2>err </dev/null
    want_got=$?
    [ "$want_got" = "$want_rc" ] || fail "$* -> $want_got instead of" \
        "$want_rc: $(head -c 900 err) $(head -c 1500 out)"
}
# says PATTERN: the last command printed it, on either stream.
says() {
    grep -qE -- "$1" out err || fail "nobody says \"$1\": $(cat out err)"
}
says_not() {
    ! grep -qE -- "$1" out err || fail "says \"$1\": $(cat out err)"
}
short() { # human output: at most 25 lines, the last one is next:
    [ "$(wc -l <out)" -le 25 ] || fail "more than 25 lines: $(cat out)"
    tail -n 1 out | grep -q '^next: ' || fail "no next: $(tail -n 2 out)"
}
shell_model() { # a workspace with the shell example
    mkdir -p "$1" && cp "$top"/examples/shell/* "$1"
}
sign() { # plans and approves in the current folder
    "$rea" --json plan >plan.json || fail "plan: $?"
    want 0 "$rea" approve "$(jq -r .hash plan.json)"
}
state() { "$rea" --json status "${1:-C1}" | jq -r '.campaigns[0].state'; }
until_state() { # STATE [C]: waits for it
    i=0
    while [ "$(state "${2:-C1}")" != "$1" ]; do
        i=$((i + 1))
        [ $i -lt 300 ] || fail "no $1: $("$rea" status)"
        sleep 0.2
    done
}
slurm_cluster() { # NODES: a cluster of this machine, ended with the test
    command -v sbatch >/dev/null 2>&1 ||
        skip "no sbatch: install slurmctld slurmd slurm-client munge"
    [ "$(id -u)" = 0 ] || skip "slurmd starts jobs only as root"
    PATH=$PATH:/usr/sbin
    cluster=$dir/cluster
    trap 'bash "$top/test/lib/slurm.sh" stop "$cluster" 2>/dev/null
        rm -rf "$dir"' EXIT
    bash "$top/test/lib/slurm.sh" start "$cluster" "$1" || fail "no cluster"
    . "$cluster/env"
}
