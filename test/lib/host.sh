# Hosts of a test: each has a network, a name, a boot and processes of its own;
# the files are shared, as on a cluster. host_make NAME NUMBER; on NAME COMMAND.
host_dir=
host_make() {
    host_dir=${host_dir:-$(mktemp -d)}
    cat /proc/sys/kernel/random/uuid >"$host_dir/$1.boot"
    mkfifo "$host_dir/$1.up"
    unshare -n -u -m -p -f --mount-proc sh -c '
        hostname "$1" && mount --bind "$2/$1.boot" \
            /proc/sys/kernel/random/boot_id && ip link set lo up &&
        echo up >"$2/$1.up" && exec sleep 100000' sh "$1" "$host_dir" &
    read -r up <"$host_dir/$1.up" && [ "$up" = up ] || return 1
    host_pid=$(pgrep -P $! | head -1)
    echo "$host_pid" >"$host_dir/$1.pid"
    ip link add "rea$$h$2" type veth peer name eth0 netns "$host_pid" &&
        ip addr add "10.199.$2.1/24" dev "rea$$h$2" &&
        ip link set "rea$$h$2" up &&
        nsenter -t "$host_pid" -n sh -c "ip addr add 10.199.$2.2/24 dev eth0 &&
            ip link set eth0 up"
}
on() {
    on_host=$1
    shift
    nsenter -t "$(cat "$host_dir/$on_host.pid")" -n -u -m -p "$@"
}
hosts_end() {
    for host_pid in $(cat "$host_dir"/*.pid 2>/dev/null); do
        kill -9 "$host_pid" 2>/dev/null
    done
    rm -rf "$host_dir"
}
