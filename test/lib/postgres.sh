# A PostgreSQL server of its own for a test: pg_start FOLDER sets pg_url;
# pg_stop ends it. fsync stays on: what is tested is what users have.
pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
pg_user=$(id -un)
pg_as() { # the server refuses to run as root
    if [ "$(id -u)" = 0 ]; then
        pg_user=postgres
        (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
    else
        "$@"
    fi
}
pg_start() {
    [ -n "$pg_bin" ] || { echo "PostgreSQL's server is not installed"; exit 1; }
    pg_dir=$1/pg
    mkdir -p "$pg_dir"
    chmod 755 "$1"
    [ "$(id -u)" != 0 ] || chown postgres "$pg_dir"
    pg_as "$pg_bin/initdb" -D "$pg_dir/data" -A trust -U rea --locale=C.UTF-8 \
        >"$1/initdb.log" 2>&1 || { cat "$1/initdb.log"; exit 1; }
    pg_port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    pg_up "${2:-127.0.0.1}"
    pg_url=postgresql://rea@${2:-127.0.0.1}:$pg_port/postgres
}
pg_up() {
    pg_as "$pg_bin/pg_ctl" -D "$pg_dir/data" -w -t 60 -l "$pg_dir/log" \
        -o "-p $pg_port -c listen_addresses='*' -k $pg_dir \
        -c shared_buffers=16MB -c max_connections=50" start >/dev/null ||
        { cat "$pg_dir/log"; exit 1; }
}
pg_down() { pg_as "$pg_bin/pg_ctl" -D "$pg_dir/data" -m "${1:-fast}" stop >/dev/null; }
pg_stop() { [ -z "${pg_dir:-}" ] || [ ! -d "$pg_dir/data" ] || pg_down immediate 2>/dev/null || :; }
