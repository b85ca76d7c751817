#!/bin/sh
# kind = "slurm" against the real thing: every way in which a job can end there
# is told right, and what no answer looks like. The jobs run at the same time;
# the cluster is this machine's, in a folder of its own.
. "$(dirname "$0")/lib.sh"
for p in slurmctld slurmd sbatch munged; do
    command -v $p >/dev/null 2>&1 || [ -x /usr/sbin/$p ] ||
        skip "no $p: install slurmctld slurmd slurm-client munge"
done
[ "$(id -u)" = 0 ] || skip "slurmd starts jobs only as root"
PATH=$PATH:/usr/sbin
drive="$build/test/job_drive -b slurm"
export REA_SHIM="$build/rea-shim"
cluster=$dir/cluster
cleanup() {
    bash "$top/test/lib/slurm.sh" stop "$cluster" 2>/dev/null
    pkill -9 -f "rea-shim $dir/run/" # of jobs that a failure left
    rm -rf "$dir"
}
trap cleanup EXIT
REA_SLURM_AGE=20 bash "$top/test/lib/slurm.sh" start "$cluster" ||
    fail "no cluster"
. "$cluster/env"

submit() { # OPTIONS -- TOKEN WORDS... -- COMMAND...
    opts=
    while [ "$1" != -- ]; do opts="$opts $1"; shift; done
    shift
    token=rea-$1
    shift
    # shellcheck disable=SC2086
    $drive $opts jobs submit "$token" "run/$token" "$@" >out 2>err
}
id_of() { sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' "jobs/rea-$1.sub"; }
ends() { # TOKEN SECONDS PATTERN
    $drive jobs wait "rea-$1" "$2" >"got-$1" 2>&1
    grep -qE "^done $3" "got-$1" || fail "$1: $(cat "got-$1") instead of $3:" \
        "$(cat "run/rea-$1/exit.json" "run/rea-$1/slurm.out" 2>/dev/null)" \
        "$(scontrol show job "$(id_of "$1")" --oneliner 2>&1 | head -c 700)"
}
runs() { # TOKEN: until it runs
    i=0
    until [ -s "run/rea-$1/shim.json" ]; do
        i=$((i + 1))
        [ $i -lt 150 ] || fail "$1 never began: $(squeue)"
        sleep 0.1
    done
}
hog='python3 -c "x = bytearray(900 * 1000 * 1000); print(len(x))"'

# What is slow goes first. Slurm's own limit: TERM trapped, exit 0.
submit -p high -x "--time=1" -- limit -- \
    sh -c 'trap "exit 0" TERM; while :; do sleep 0.2; done' || fail "$(cat err)"

# Exits, and the callback from inside the job.
submit -- ok time=60000 wake="touch $dir/woken" -- true || fail "$(cat err)"
submit -- three time=60000 -- sh -c 'exit 3' || fail "$(cat err)"
# Memory: the job itself; a part of it, while the script goes on and exits 0.
submit -x "--mem=100M" -- oom time=60000 -- sh -c "exec $hog" ||
    fail "$(cat err)"
submit -x "--mem=100M" -- part time=60000 -- sh -c "$hog; echo on; exit 0" ||
    fail "$(cat err)"
# A second job wakes when the first is over, however it ended.
printf '#!/bin/sh\necho x >>"%s/calls"\n' "$dir" >call.sh
submit -d -- second time=60000 wake="sh $dir/call.sh" -- true ||
    fail "$(cat err)"
# A warning of Slurm's reaches the job, not only its supervisor.
submit -x "--time=2" -s USR1@110 -- warned -- \
    sh -c 'trap "echo warned; exit 7" USR1; while :; do sleep 0.2; done' ||
    fail "$(cat err)"
# Cancelled by us, by somebody else, while it runs and while it waits.
submit -- ours time=60000 grace=2000 -- sleep 50 || fail "$(cat err)"
submit -- theirs time=60000 grace=2000 -- sleep 50 || fail "$(cat err)"
submit -x "--begin=now+1hour" -- waits time=60000 -- true || fail "$(cat err)"
submit -x "--begin=now+1hour" -- taken time=60000 -- true || fail "$(cat err)"
# Refused: an error of the project, at once.
submit -x "--mem=999999M" -- big time=60000 -- true &&
    fail "a terabyte was granted"
grep -q 'Requested node configuration is not available' err ||
    fail "refused: $(cat err)"
submit -p nowhere -- lost time=60000 -- true && fail "no such partition"
grep -qi 'invalid partition' err || fail "refused: $(cat err)"

# A retry that waits, waits in the queue.
submit -- begins delay=5000 time=60000 -- true || fail "$(cat err)"
squeue -h --name rea-begins -o %r | grep -qE 'BeginTime|None' ||
    fail "it does not wait: $(squeue)"

ends ok 20 'ok 0 0'
ends three 20 'exit 3 0'
ends oom 20 'oom'
if [ "$(cat "$cluster/limits")" = cgroup ]; then
    ends part 20 'oom 0'
fi
i=0
until [ "$(cat calls 2>/dev/null | wc -l)" -ge 2 ]; do
    i=$((i + 1))
    [ $i -lt 200 ] || fail "the second job did not call"
    sleep 0.1
done
[ -e woken ] || fail "nobody was called"
ends warned 30 'exit 7'
ends begins 30 'ok 0 0'
within=$(($(sed -n 's/.*"start_ms": *\([0-9]*\).*/\1/p' run/rea-begins/exit.json) \
    - $(stat -c %Y run/rea-begins/shim.cmd) * 1000))
[ "$within" -ge 4000 ] || fail "it waited $within ms"
runs ours
runs theirs
$drive jobs cancel rea-ours || fail "cancel"
scancel "$(id_of theirs)"
ends ours 15 'cancelled'
ends theirs 15 'preempted'
grep -q 'somebody cancelled' run/rea-theirs/exit.json got-theirs \
    run/rea-theirs/slurm.out || grep -q CANCELLED run/rea-theirs/slurm.out ||
    fail "theirs: $(cat run/rea-theirs/slurm.out)"
$drive jobs cancel rea-waits || fail "cancel of one that waits"
ends waits 1 'cancelled'
[ -z "$(squeue -h --name rea-waits)" ] || fail "the queue still has it"
scancel "$(id_of taken)" # no callback comes: the sweep's question settles it
ends taken 25 'preempted'

# The id was lost on its way: the job is found by its name, not started twice.
submit -- named time=60000 -- sleep 20 || fail "$(cat err)"
runs named
sed -i 's/"id": *"[^"]*"/"id": ""/' jobs/rea-named.sub
submit -- named time=60000 -- sleep 20 || fail "$(cat err)"
[ "$(squeue -h --name rea-named | wc -l)" = 1 ] || fail "$(squeue)"
[ -n "$(id_of named)" ] || fail "its id was not found again"

# Put back into the queue by force: this attempt is over, another resumes.
submit -x "--requeue" -- again time=60000 grace=1000 -- sleep 40 ||
    fail "$(cat err)"
runs again
scontrol requeue "$(id_of again)" || fail "requeue"
ends again 40 'preempted'

# Taken away for a job of a better partition.
submit -x "--cpus-per-task=4" -- low time=60000 grace=1000 -- sleep 50 ||
    fail "$(cat err)"
runs low
submit -p high -x "--cpus-per-task=7" -- high time=60000 -- sleep 2 ||
    fail "$(cat err)"
ends low 60 'preempted'
ends high 30 'ok'

# Nobody answers: no end, and no error that would end it.
submit -- steady time=60000 -- sleep 25 || fail "$(cat err)"
runs steady
sleep 6 # Slurm saves its state by and by; what it forgot it would kill
kill -9 "$(cat "$cluster/slurmctld.pid")"
$drive jobs poll rea-steady >out 2>err || fail "$(cat err)"
grep -q '^running' out || fail "controller down: $(cat out)"
submit -- later time=60000 -- true && fail "submitted to nobody"
grep -qiE 'contact|no answer|refused' err || fail "$(cat err)"
[ ! -e run/rea-later/exit.json ] || fail "no answer is no end"
slurmctld -f "$SLURM_CONF"
i=0
until submit -- later time=60000 -- true; do
    i=$((i + 1))
    [ $i -lt 20 ] || fail "controller back: $(cat err)"
    sleep 0.5
done
ends later 30 'ok'
ends steady 40 'ok'

# Slurm forgets a job soon (MinJobAge); its books still know it, and when they
# are gone too, it is gone.
submit -- forgot time=60000 -- sleep 40.125 || fail "$(cat err)"
runs forgot

ends limit 90 'timeout'

# The machine goes: daemon, step and supervisor at once.
submit -- node time=60000 -- sleep 50.125 || fail "$(cat err)"
runs node
pkill -9 -f "slurmd -f $SLURM_CONF"
pkill -9 slurmstepd
for t in node forgot; do
    kill -9 "$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "run/rea-$t/shim.json")"
done
pkill -9 -f "^sleep [45]0\.125$"
ends node 90 'node-fail'
ends forgot 30 'node-fail'
slurmd -f "$SLURM_CONF"

exit 0
