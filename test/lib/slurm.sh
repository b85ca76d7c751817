#!/bin/bash
# A Slurm cluster of one machine from Debian's packages, in a folder of its
# own: slurm.sh start DIR [NODES], stop DIR. `. DIR/env` makes its commands
# find it, DIR/nodes names its nodes, each a slurmd. Needs root (slurmd starts jobs as their users) and no systemd.
# Memory is held by a cgroup where the kernel lets us, else by the daemon that
# looks every second (OverMemoryKill); DIR/limits says which.
set -eu
verb=${1:?start or stop} dir=${2:?folder} nodes=${3:-1}

port_free() { # a port nobody listens on, from $1
    p=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; do p=$((p + 1)); done
    echo "$p"
}

munge_start() {
    if munge -n </dev/null 2>/dev/null | unmunge >/dev/null 2>&1; then return; fi
    install -d -o munge -g munge -m 755 /run/munge
    install -d -o munge -g munge -m 700 /var/log/munge /var/lib/munge
    [ -s /etc/munge/munge.key ] || mungekey --create >/dev/null 2>&1 || {
        dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 2>/dev/null
    }
    chown munge:munge /etc/munge/munge.key
    chmod 600 /etc/munge/munge.key
    setpriv --reuid=munge --regid=munge --clear-groups \
        /usr/sbin/munged --pid-file=/run/munge/munged.pid
    munge -n </dev/null | unmunge >/dev/null
}

# cgroup v1 with a memory controller that we may write: jobs are held by it.
cgroups_work() {
    t=/sys/fs/cgroup/memory/rea-probe.$$
    mkdir "$t" 2>/dev/null || return 1
    r=0
    echo 64M >"$t/memory.limit_in_bytes" 2>/dev/null || r=1
    rmdir "$t"
    for c in freezer cpuset; do [ -d /sys/fs/cgroup/$c ] || r=1; done
    return $r
}

conf_write() {
    host=$(hostname -s)
    if cgroups_work && [ "${REA_SLURM_CGROUP:-1}" = 1 ]; then
        echo cgroup >"$dir/limits"
        track=proctrack/cgroup task=task/cgroup over=
    else
        echo poll >"$dir/limits"
        track=proctrack/linuxproc task=task/none
        over=,OverMemoryKill
    fi
    # Clusters of one machine share neither ports nor, by the node's name, cgroups.
    c=$(port_free $((26000 + $$ % 900 * 2))) d=$((28000 + $$ % 900 * 2)) all=
    : >"$dir/nodes"
    for _ in $(seq "$nodes"); do
        d=$(port_free "$d")
        echo "n$d" >>"$dir/nodes"
        all=$all${all:+,}n$d
        d=$((d + 1))
    done
    cat >"$dir/slurm.conf" <<EOF
ClusterName=rea
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=cred_expire=5
SlurmctldPort=$c
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=${REA_SLURMD_TIMEOUT:-10}
KillWait=3
MinJobAge=${REA_SLURM_AGE:-300}
BatchStartTimeout=10
MessageTimeout=5
ProctrackType=$track
TaskPlugin=$task
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=NoShared$over
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0,bf_interval=1,requeue_delay=0
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=256
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/log/jobcomp.txt
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
MpiDefault=none
SwitchType=switch/none
$(sed "s/n\(.*\)/NodeName=n\1 Port=\1 NodeHostname=$host NodeAddr=127.0.0.1 CPUs=${REA_SLURM_CPUS:-8} RealMemory=4000 State=UNKNOWN/" "$dir/nodes")
PartitionName=main Nodes=$all Default=YES State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=2 MaxTime=60
PartitionName=high Nodes=$all State=UP PriorityTier=10 PreemptMode=OFF
EOF
    cat >"$dir/cgroup.conf" <<EOF
CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
CgroupAutomount=no
ConstrainRAMSpace=yes
EOF
}

start() {
    mkdir -p "$dir/state" "$dir/spool" "$dir/log"
    munge_start
    conf_write
    echo "SLURM_CONF=$dir/slurm.conf; export SLURM_CONF" >"$dir/env"
    SLURM_CONF=$dir/slurm.conf
    export SLURM_CONF
    slurmctld -f "$SLURM_CONF"
    while read -r node; do slurmd -f "$SLURM_CONF" -N "$node"; done <"$dir/nodes"
    for _ in $(seq 100); do
        [ "$(sinfo -h -N -p main -o %T 2>/dev/null | grep -c idle)" = "$nodes" ] &&
            return 0
        sleep .2
    done
    echo "slurm.sh: not $nodes idle nodes after 20 s" >&2
    tail -5 "$dir"/log/slurm*.log >&2
    return 1
}

stop() {
    for f in "$dir"/slurm*.pid; do
        [ -s "$f" ] && kill "$(cat "$f")" 2>/dev/null || true
    done
    for _ in $(seq 50); do
        alive=0
        for f in "$dir"/slurm*.pid; do
            [ -s "$f" ] && kill -0 "$(cat "$f")" 2>/dev/null && alive=1
        done
        [ $alive = 0 ] && break
        sleep .1
    done
    # one that was started again has no file of ours with its number
    pkill -9 -f "slurm(d|ctld) -f $dir/slurm.conf" 2>/dev/null || true
    pkill -9 -f "slurmstepd.*$dir" 2>/dev/null || true
}
"$verb"
