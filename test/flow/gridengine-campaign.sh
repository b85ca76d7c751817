#!/bin/sh
# kind = "command" on a scheduler that is not Slurm: a whole campaign through
# Grid Engine by the commands that docs/backends.md gives; a job deleted by
# somebody else, the master down, stop.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin
for p in sge_qmaster sge_execd qsub; do
    command -v $p >/dev/null 2>&1 ||
        skip "no $p: install gridengine-master gridengine-exec gridengine-client"
done
[ "$(id -u)" = 0 ] || skip "sge_execd starts jobs only as root"
cluster=$dir/cluster
cleanup() {
    bash "$top/test/lib/gridengine.sh" stop "$cluster" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
bash "$top/test/lib/gridengine.sh" start "$cluster" >out 2>&1 ||
    fail "no cluster: $(cat out)"
. "$cluster/env"
shell_model ws && cd ws || exit 1
sed -i '/^\[backend\]/,$d; s/^max_parallel.*/max_parallel = 4/' rea.toml
cat >>rea.toml <<'EOF'
[resources]
cpus = 1
memory = "200M"
time = "2m"
EOF
# The very lines of the manual.
sed -n '/^### Grid Engine/,/^```$/p' "$top/docs/backends.md" |
    sed -n '/^\[backend\]/,/^```/p' | sed '/^```/d' >>rea.toml
grep -q qsub rea.toml || fail "the manual has no Grid Engine"
want 0 "$rea" check
says 'backend .*command: a test job '
sign

# Nobody answers: nothing is started and nothing is lost.
kill -9 "$(cat "$cluster/spool/qmaster/qmaster.pid")"
timeout 60 "$rea" run >out 2>err </dev/null && fail "run without a master"
[ "$(state)" = running ] || fail "state $(state)"
rm -f "$cluster/spool/qmaster/qmaster.pid"
sge_qmaster
i=0
until qstat >/dev/null 2>&1; do
    i=$((i + 1))
    [ $i -lt 100 ] || fail "the master does not come back"
    sleep 0.2
done
want 0 "$rea" run --wait
[ "$(state)" = 'done' ] || fail "state $(state): $("$rea" status)"
"$rea" --json report >report.json || fail report
jq -e '.proposal.sealed.lo > 0' report.json >/dev/null ||
    fail "$(jq -c .proposal report.json)"
[ -z "$(ls .rea/jobs)" ] || fail "left: $(ls .rea/jobs)"

# One that somebody deletes comes back as a new attempt; stop ends the rest.
cd .. && mkdir ws2 && cp ws/train.sh ws2 &&
    sed 's/name = "shell"/name = "second"/' ws/rea.toml >ws2/rea.toml &&
    cd ws2 || exit 1
sed -i 's/^sleep .*/sleep 30/' train.sh
sign
want 0 "$rea" run
until_some() { # SECONDS PATTERN COUNT
    i=0
    until [ "$(ls $2 2>/dev/null | wc -l)" -ge "$3" ]; do
        i=$((i + 1))
        [ $i -lt $(($1 * 10)) ] || fail "no $3 of $2: $(qstat)"
        sleep 0.1
    done
}
until_some 20 '.rea/runs/C1/*/a1/shim.json' 2
i=0
until running=$(qstat | awk 'NR > 2 && $5 == "r" {print $1; exit}') &&
    [ -n "$running" ]; do # the job may run before the master shows it
    i=$((i + 1))
    [ $i -lt 200 ] || fail "the master shows nothing that runs: $(qstat)"
    sleep 0.1
done
qdel "$running" >/dev/null || fail "qdel $running"
i=0
until "$rea" sweep >/dev/null 2>&1 </dev/null &&
    grep -qsE 'preempted|node-fail' .rea/runs/C1/*/a1/exit.json; do
    i=$((i + 1))
    [ $i -lt 40 ] || fail "the deleted job is not missed: $(qstat)"
    sleep 1
done
until_some 20 '.rea/runs/C1/*/a2/shim.json' 1
"$rea" stop C1 >out 2>err </dev/null || fail "stop: $(cat err)"
until_state stopped
exit 0
