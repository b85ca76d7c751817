#!/bin/sh
# What a patch can do when it runs: its work, and nothing else. Each patch below
# tries to get out and reports by its metric what it reached; a stop, a crash
# and a build are seen through the sandbox as they are without it.
. "$(dirname "$0")/patched.sh"
patch_workspace ws
export REA_SEED=11
export SECRET_TOKEN=CANARY-env-4711 PUBLIC_NOTE=seen
echo CANARY-file-4711 >"$dir/secret"
echo CANARY-untracked-4711 >secret.txt
sed -i 's|^paths = .*|paths = ["src/*", "train.sh"]\nenv = ["PUBLIC_NOTE"]|
    s|^smoke = .*|smoke = "sh train.sh {metrics_file} {seed} {knob.lr}"|' rea.toml
git commit -qam env
plain=$(cat train.sh)
try_patch() { # NAME: train.sh as it stands becomes a patch; its smoke run
    git diff -- train.sh >"../$1.diff"
    git checkout -q -- train.sh
    timeout 60 "$rea" hypothesis add --patch "../$1.diff" "$1" \
        >"../$1.out" 2>&1 </dev/null
    echo $? >"../$1.rc"
}
want 0 "$rea" plan
# 1. what it sees: printed when the smoke run fails
cat >train.sh <<'SH'
#!/bin/sh
{
    echo "env:"; env | sort
    echo "proc:"; cat /proc/1/environ /proc/*/environ 2>/dev/null | tr '\0' '\n'
    echo "files:"; cat ../secret secret.txt .rea/rea.db /etc/shadow
    ls "$HOME" /home /root .rea .git
    echo "pids: $(ls /proc | grep -c '^[0-9]')"
    echo "net:"; cat /proc/net/dev | grep -v lo:
    python3 - <<'PY'
import socket, os
for family, to in ((socket.AF_INET, ("127.0.0.1", 1)),
                   (socket.AF_INET, ("192.0.2.1", 80))):
    try:
        s = socket.socket(family); s.settimeout(2); s.connect(to)
        print("NETWORK", to)
    except OSError as e:
        print("no network:", e)
try:
    socket.socket(40, socket.SOCK_STREAM); print("NETWORK vsock")
except OSError as e:
    print("no vsock:", e)
PY
    for f in ../escape escape /escape /usr/escape data/escape src/escape; do
        (: >"$f") 2>/dev/null && echo "WROTE $f"
    done
    unshare -U true && echo "NESTED"
    mount -t tmpfs none /mnt && echo "MOUNTED"
    kill -0 1 2>/dev/null
} 2>&1
exit 3
SH
try_patch sees
[ "$(cat ../sees.rc)" = 2 ] || fail "sees: $(cat ../sees.out)"
grep -q 'smoke run failed' ../sees.out || fail "sees: $(cat ../sees.out)"
cat >../probe.py <<'PY'
PY
# the tail that is shown may be short: the whole output, run by hand
spec=../spec
base=$(git rev-parse HEAD)
sha=$(sha256sum ../sees.diff | cut -c1-64)
mkdir -p "$dir/ws/.rea/runs/hand/work" .rea/patches
cat >$spec.json <<EOF
{"version": 1, "root": "$dir/ws", "top": "$dir/ws", "base_rev": "$base",
 "patches": ["$sha"], "build": null, "read": ["data"],
 "env": ["PATH", "PUBLIC_NOTE"], "run_dir": "$dir/ws/.rea/runs/hand/work",
 "earlier": null, "gpus": false, "terminal": true}
EOF
[ -f ".rea/patches/$sha.diff" ] || cp ../sees.diff ".rea/patches/$sha.diff"
"$build/rea-sandbox" $spec.json -- sh train.sh m 1 1 >../seen 2>&1 </dev/null
[ $? = 3 ] || fail "exit code: $(cat ../seen)"
grep -q '^PUBLIC_NOTE=seen' ../seen || fail "a declared variable is missing"
! grep -a CANARY ../seen || fail "a secret is seen"
# beside the workspace lies the sandbox's own /tmp
! grep -aE 'NETWORK|WROTE [^.]|NESTED|MOUNTED' ../seen || fail "$(cat ../seen)"
grep -q 'no network' ../seen || fail "no word of the network: $(cat ../seen)"
[ "$(sed -n 's/^pids: //p' ../seen)" -lt 12 ] || fail "other processes"
! ls "$dir"/escape "$dir"/ws/escape /escape /usr/escape 2>/dev/null ||
    fail "it wrote outside"
# 2. the same bytes or nothing: a diff that changed after it was stored
echo '# more' >>".rea/patches/$sha.diff"
"$build/rea-sandbox" $spec.json -- true >out 2>err
[ $? = 0 ] || : # the tree is there already
rm -rf .rea/worktrees
"$build/rea-sandbox" $spec.json -- true >out 2>err
[ $? = 125 ] || fail "a changed diff ran"
says 'was changed after it was approved'
says 'rea-sandbox: '
grep -q 'was changed' ../sandbox.why || fail "no sandbox.why"
# 3. without bubblewrap nothing runs, and that is said
mkdir ../few && for p in sh git cat env; do
    ln -s "$(command -v $p)" ../few/$p
done
sed -i "s/\"patches\": \[[^]]*\]/\"patches\": []/" $spec.json
PATH="$dir/few" "$build/rea-sandbox" $spec.json -- true >out 2>err
[ $? = 125 ] || fail "ran without bwrap"
says 'install the package bubblewrap'
# 4. signals and codes come through: 128 + number, the program's own code
for code in 0 7 42; do
    "$build/rea-sandbox" $spec.json -- sh -c "exit $code"
    [ $? = $code ] || fail "exit code $code"
done
"$build/rea-sandbox" $spec.json -- sh -c 'kill -SEGV $$'
[ $? = 139 ] || fail "a crash is not told"
# a program can end in order when its group is told to
cat >../stop.py <<'PY'
import os, signal, subprocess, sys, time
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, process_group=0)
assert p.stdout.readline() == b"ready\n"
os.killpg(p.pid, signal.SIGTERM)
assert p.stdout.readline() == b"saved\n", "no time to save"
assert p.wait(20) == 9, p.returncode
PY
sed -i 's/"terminal": true/"terminal": false/' $spec.json
python3 ../stop.py "$build/rea-sandbox" $spec.json -- sh -c \
    'trap "echo saved; exit 9" TERM; echo ready; while :; do sleep 0.1; done' ||
    fail "SIGTERM does not come through"
# 5. what the run folder gets is all that stays
"$build/rea-sandbox" $spec.json -- sh -c \
    "echo x >$dir/ws/.rea/runs/hand/work/kept; echo y >/tmp/gone; ls /tmp" >out ||
    fail "the run folder is not writable"
[ -f .rea/runs/hand/work/kept ] && [ ! -e /tmp/gone ] || fail "files"
# the supervisor's files, the attempt to come, the folder itself: out of reach
"$build/rea-sandbox" $spec.json -- sh -c "cd $dir/ws/.rea/runs/hand/work
    echo '{}' >../exit.json; ln -s /etc ../../a2; ln -s /etc ../wake.log
    cd ..; mv work other; rmdir work" >out 2>&1
[ "$(ls -A .rea/runs/hand)" = work ] && [ ! -L .rea/runs/a2 ] &&
    [ ! -L .rea/runs/hand/work ] || fail "$(ls -lA .rea/runs .rea/runs/hand)"
[ "$plain" = "$(cat train.sh)" ] || fail "the checkout moved"
exit 0
