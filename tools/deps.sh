#!/bin/sh
# Installs the Debian packages that are missing: `build` for building and the
# demo, `check` for the tests too. Does nothing where all are there.
set -eu
build="gcc make libc6-dev libsqlite3-dev libjansson-dev libpcre2-dev
 libsodium-dev zlib1g-dev liblzma-dev libopenblas-dev libxml2-dev
 libcurl4-openssl-dev libpq-dev libmicrohttpd-dev python3"
check="$build clang libclang-rt-14-dev clang-format libcmocka-dev jq git
 curl scdoc universal-ctags xz-utils strace spin slurmctld slurmd slurm-client munge
 gridengine-master gridengine-exec gridengine-client
 postgresql iproute2 procps util-linux
 poppler-utils bubblewrap"
case "${1:-build}" in
check) want=$check ;;
*) want=$build ;;
esac
missing=
for p in $want; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $p"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
