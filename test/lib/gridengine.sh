#!/bin/bash
# A Grid Engine of one machine from Debian's packages, in a folder of its own:
# gridengine.sh start DIR, stop DIR. `. DIR/env` makes its commands find it.
# Needs root. The cell is made the way Debian's own script makes one.
set -eu
verb=${1:?start or stop} dir=${2:?folder}

port_free() { # a port nobody listens on, from $1
    p=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; do p=$((p + 1)); done
    echo "$p"
}

env_write() {
    q=$(port_free 28444) x=$(port_free 29445)
    cat >"$dir/env" <<EOF
SGE_ROOT=$dir SGE_CELL=default SGE_QMASTER_PORT=$q SGE_EXECD_PORT=$x
export SGE_ROOT SGE_CELL SGE_QMASTER_PORT SGE_EXECD_PORT
EOF
    . "$dir/env"
}

cell_make() {
    host=$(hostname)
    mkdir -p "$dir/default/common" "$dir/spool/qmaster" "$dir/spool/execd" \
        "$dir/spool/db"
    for f in bin lib util utilbin; do
        ln -s "$(readlink -f /var/lib/gridengine/$f)" "$dir/$f"
    done
    cat >"$dir/default/common/bootstrap" <<EOF
admin_user              none
default_domain          none
ignore_fqdn             true
spooling_method         berkeleydb
spooling_lib            libspoolb
spooling_params         $dir/spool/db
binary_path             /usr/lib/gridengine
qmaster_spool_dir       $dir/spool/qmaster
security_mode           none
listener_threads        2
worker_threads          2
scheduler_threads       1
EOF
    echo "$host" >"$dir/default/common/act_qmaster"
    echo "$host localhost" >"$dir/default/common/host_aliases"
    sh /usr/share/gridengine/scripts/init_cluster "$dir" default \
        "$dir/spool/db" root >"$dir/init.log" 2>&1
    sed "s|^execd_spool_dir.*|execd_spool_dir $dir/spool/execd|; s/^\(min_[ug]id\) .*/\1 0/" \
        /usr/share/gridengine/default-configuration >"$dir/configuration"
    /usr/lib/gridengine/spooldefaults configuration "$dir/configuration" \
        >>"$dir/init.log" 2>&1
}

queue_make() {
    host=$(hostname)
    qconf -as "$host" >/dev/null
    qconf -ah "$host" >/dev/null 2>&1 || true
    printf 'group_name @machines\nhostlist %s\n' "$host" >"$dir/hosts"
    qconf -Ahgrp "$dir/hosts" >/dev/null
    qconf -sq 2>/dev/null | sed -e 's/^qname.*/qname main.q/' \
        -e 's/^hostlist.*/hostlist @machines/' -e 's/^slots.*/slots 4/' \
        -e 's|^shell .*|shell /bin/sh|' -e 's/^pe_list.*/pe_list NONE/' -e 's/^load_thresholds.*/load_thresholds NONE/' \
        >"$dir/queue"
    qconf -Aq "$dir/queue" >/dev/null
    # Looks at the queue every second, and at once when a job comes.
    qconf -ssconf | sed -e 's/^schedule_interval.*/schedule_interval 0:0:1/' \
        -e 's/^flush_submit_sec.*/flush_submit_sec 1/' \
        -e 's/^flush_finish_sec.*/flush_finish_sec 1/' \
        -e 's/^load_formula.*/load_formula slots/' >"$dir/schedule"
    qconf -Msconf "$dir/schedule" >/dev/null
}

start() {
    mkdir -p "$dir"
    env_write
    cell_make
    sge_qmaster
    for _ in $(seq 50); do qconf -sh >/dev/null 2>&1 && break; sleep .2; done
    queue_make
    sge_execd
    for _ in $(seq 100); do
        qstat -f 2>/dev/null | grep 'main.q' | grep -qv 'au$' && return 0
        sleep .2
    done
    echo "gridengine.sh: the queue does not come up" >&2
    qstat -f >&2 || true
    tail -5 "$dir/spool/qmaster/messages" >&2 || true
    return 1
}

stop() {
    . "$dir/env"
    for f in "$dir/spool/execd"/*/execd.pid "$dir/spool/qmaster/qmaster.pid"; do
        [ -s "$f" ] && kill "$(cat "$f")" 2>/dev/null || true
    done
    sleep .5
    for f in "$dir/spool/execd"/*/execd.pid "$dir/spool/qmaster/qmaster.pid"; do
        [ -s "$f" ] && kill -9 "$(cat "$f")" 2>/dev/null || true
    done
}
"$verb"
