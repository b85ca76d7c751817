#!/bin/sh
# Two hosts drive one set of campaigns at once, their state on a PostgreSQL
# server that each reaches by its own network: wakes, sweeps and readers of both,
# some killed. Every job is started once and applied once, the logs are whole.
. "$(dirname "$0")/lib.sh"
. "$top/test/lib/postgres.sh"
. "$top/test/lib/host.sh"
unshare -n -u -m -p -f true 2>/dev/null || skip "no namespaces for hosts"
trap 'hosts_end; pg_stop; rm -rf "$dir"' EXIT
pg_start "$dir"
host_make alpha 1 && host_make beta 2 || fail "no hosts"
url() { echo "postgresql://rea@10.199.$1.1:$pg_port/postgres"; }
# The server is reached by another address from each: the URL is a service's.
service() {
    printf '[rea]\nhost=10.199.%s.1\nport=%s\nuser=rea\ndbname=postgres\n' \
        "$2" "$pg_port" >"$dir/$1.conf"
}
service alpha 1
service beta 2
echo "host all all 10.199.0.0/16 trust" >>"$pg_dir/data/pg_hba.conf"
pg_as "$pg_bin/pg_ctl" -D "$pg_dir/data" reload >/dev/null
export REA_STORE="postgresql:///?service=rea" REA_SHIM="$build/rea-shim"

for kind in recorded local; do
    mkdir "$dir/$kind"
    for host in alpha beta; do
        # shellcheck disable=SC2046
        on $host env PGSERVICEFILE="$dir/$host.conf" "$build/test/wake_hammer" \
            120 $kind "$dir/$kind" $([ $host = alpha ] || echo join) \
            >"$kind.$host" 2>&1 &
        eval "$host=$!"
    done
    wait "$alpha" || fail "$kind on alpha: $(cat $kind.alpha)"
    wait "$beta" || fail "$kind on beta: $(cat $kind.beta)"
    echo "$kind: $(tail -1 $kind.alpha)"
    tail -1 $kind.beta
    by=$(cat "$dir/$kind"/.rea/runs/*/*/*/exit.json |
        jq -r '.host // "recorded"' | sort | uniq -c | tr -s ' \n' ' ')
    echo "jobs ran on:$by"
done
case $by in *alpha*beta*) ;; *) fail "one host did nothing:$by" ;; esac
exit 0
