#!/bin/sh
# A whole campaign through Slurm, woken from inside its jobs; preflight, stop,
# and what is wrong in the project file.
. "$(dirname "$0")/lib.sh"
slurm_cluster 1
shell_model ws && cd ws || exit 1
sed -i '/^\[backend\]/,$d; s/^max_parallel.*/max_parallel = 4/' rea.toml
cat >>rea.toml <<EOF
[resources]
cpus = 1
memory = "200M"
time = "2m"
[resources.confirmation]
memory = "240M"
time = "4m"
[backend]
kind = "slurm"
partition = "main"
setup = "SETUP_RAN=yes; export SETUP_RAN"
EOF
# The first job says that its node is broken. It is the only one, so that Slurm
# refuses to go without it, and the others run there anyway.
{
    echo 'if [ "$REA_TRIAL-$REA_ATTEMPT" = T1-1 ]; then'
    echo '    echo "NVRM: GPU has fallen off the bus." >&2; exit 1; fi'
    cat train.sh
} >broken.sh && mv broken.sh train.sh
sed -i 's/^\[train\]/&\nbackoff = "1s"/' rea.toml
mkdir "$dir/bin"
cat >"$dir/bin/sbatch" <<EOF
#!/bin/sh
$(command -v sbatch) "\$@"
rc=\$?
case "\$*" in
*--exclude=*) echo "wish \$rc" ;;
*) echo "plain \$rc" ;;
esac >>"$dir/asked"
echo "\$*" | sed -n 's|.*/\(T[0-9]*\)/a[0-9]*/slurm.out.*--time[= ]\([0-9]*\).*--mem[= ]\([0-9]*\)M.*|\1 \2 \3|p' >>"$dir/words"
exit \$rc
EOF
chmod +x "$dir/bin/sbatch"
PATH=$dir/bin:$PATH
want 0 "$rea" check
says 'backend .*slurm: a test job ran'
sign
want 0 "$rea" run --wait
[ "$(state)" = 'done' ] || fail "state $(state): $("$rea" status)"
"$rea" --json report >report.json || fail report
jq -e '.proposal.sealed.lo > 0' report.json >/dev/null ||
    fail "$(jq -c .proposal report.json)"
[ "$(sacct -c -n -P -o JobName%64,State | grep -c '^rea-.*|COMPLETED')" -ge 30 ] ||
    fail "few jobs went by Slurm"
jq -r '.trials[] | "\(.id) \(.phase)"' report.json | sort >phases
sort -u "$dir/words" | join phases - >words # a minute, grace and 64M come on top
[ "$(awk '{ print ($2 == "confirmation"), $3, $4 }' words | sort -u | tr '\n' ',')" = \
    "0 4 264,1 6 304," ] || fail "a phase's resources: $(cat words "$dir/words")"
want 0 "$rea" runbook nodes
says "^$(sinfo -h -N -o %N | head -1) +out for"
grep -q '^wish [^0]' "$dir/asked" || fail "Slurm was not asked to leave it out"
! grep -q '^wish 0' "$dir/asked" || fail "Slurm took a job that it can't place"
[ "$(grep -c '^plain 0' "$dir/asked")" -ge 30 ] || fail "few went there anyway"
[ -z "$(ls .rea/jobs)" ] || fail "left: $(ls .rea/jobs)"

# Stop: what runs is ended with its grace, what waits is taken out.
cd .. && mkdir ws2 && cp ws/train.sh ws2 &&
    sed 's/name = "shell"/name = "second"/; s/^max_parallel.*/max_parallel = 12/' \
    ws/rea.toml >ws2/rea.toml && cd ws2 || exit 1
sed -i 's/^sleep .*/sleep 30/' train.sh
sign
want 0 "$rea" run
i=0
until [ "$(ls .rea/runs/C1/*/a1/shim.json 2>/dev/null | wc -l)" -ge 4 ]; do
    i=$((i + 1))
    [ $i -lt 150 ] || fail "nothing runs: $(squeue)"
    sleep 0.1
done
"$rea" stop C1 >out 2>err </dev/null || fail "stop: $(cat err)"
until_state stopped
[ -z "$(squeue -h -o %j | grep '^rea-')" ] || { sleep 8
    [ -z "$(squeue -h -o %j | grep '^rea-')" ] || fail "still there: $(squeue)"; }
want 0 "$rea" sweep

bad() { # SED MESSAGE
    sed "$1" ../ws/rea.toml >rea.toml
    want 2 "$rea" plan
    says "$2"
}
bad 's/^setup.*/signal = "KILL"/' 'signal is USR1 or USR2'
bad 's/^setup.*/wake = "never"/' 'dependency'
bad 's/^kind = .*/kind = "local"/' 'only backend slurm has'
bad "s/^setup.*/extra = \"--x 'y\"/" 'extra: '
exit 0
