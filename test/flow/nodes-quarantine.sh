#!/bin/sh
# A machine that breaks jobs gets none for a while, in every campaign of the
# workspace; a job that ran out of memory gets more. The scheduler is a script
# with two machines, the bad one first in its list.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
sed -i '/^\[backend\]/,$d; s/^total = .*/total = 24/; s/^seeds = 5/seeds = 3/' rea.toml
cat >"$dir/submit" <<'E2'
#!/bin/sh
# submit SCRIPT EXCLUDE MEMORY_MB
node=gpu1
case ,$2, in *,gpu1,*) node=gpu2 ;; esac
echo "$node $2 $3 $(basename "$(dirname "$(dirname "$1")")")" >>"$HOME/submitted"
SLURMD_NODENAME=$node MEMORY=$3 "$1" >/dev/null 2>&1 &
echo $!
E2
cat >"$dir/state" <<'E2'
#!/bin/sh
kill -0 "$1" 2>/dev/null && echo RUNNING || echo DONE
E2
chmod +x "$dir/submit" "$dir/state"
cp train.sh real.sh
cat >train.sh <<'E2'
if [ "$SLURMD_NODENAME" = gpu1 ]; then
    echo "NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus." >&2
    exit 1
fi
[ "$REA_TRIAL" != T2 ] || [ "$MEMORY" -ge 190 ] || exit 9
exec sh real.sh
E2
sed -i 's/^\[metric.valid_auc\]/exit_codes = { 9 = "oom" }\n&/' rea.toml
cat >>rea.toml <<E2
[resources]
memory = "100M"
memory_max = "190M"
time = "1m"
[backend]
kind = "command"
submit = "$dir/submit {script} '{exclude}' {memory_mb}"
state = "$dir/state {id}"
cancel = "kill {id}"
E2
sed -i 's/^max_parallel = .*/max_parallel = 1/; s/^\[train\]/&\nbackoff = "0s"/' rea.toml

sign
want 0 "$rea" runbook nodes
says 'no node has failed'
want 0 "$rea" run C1
i=0
until [ "$(state)" = "done" ]; do
    i=$((i + 1))
    [ $i -lt 200 ] || fail "no end: $("$rea" status) $(cat "$dir/submitted")"
    sleep 0.2
    "$rea" sweep >/dev/null 2>&1
done
want 0 "$rea" runbook nodes
says '^gpu1 +out for 2[34]\.[0-9] h more \(time 1\): .*fallen off the bus'
[ "$(grep -c '^gpu1' "$dir/submitted")" = 1 ] ||
    fail "the bad node got more: $(cat "$dir/submitted")"
grep -q '^gpu2 gpu1 ' "$dir/submitted" || fail "not excluded"
"$rea" --json runbook nodes | jq -e '.nodes == [.nodes[] | select(.host == "gpu1"
    and .out and .times == 1 and .faults == 0)] and (.nodes | length) == 1' \
    >/dev/null || fail "json: $("$rea" --json runbook nodes)"

# --- memory: 100, then twice as much, within its bound
[ "$(awk '$4 == "T2" { print $3 }' "$dir/submitted" | tr '\n' ' ')" = "100 190 " ] ||
    fail "memory of T2: $(grep T2 "$dir/submitted")"
"$rea" --json log C1 --all | grep -q 'half the batch' &&
    fail "there is no batch to halve"

# --- another campaign of the workspace stays away too
: >"$dir/submitted"
mkdir models
sed 's/name = "shell"/name = "other"/' rea.toml >models/other.toml
"$rea" --json plan other >plan.json || fail "plan: $?"
want 0 "$rea" approve "$(jq -r .hash plan.json)"
want 0 "$rea" run C2
[ "$(cut -d' ' -f1,2 <"$dir/submitted" | head -1)" = "gpu2 gpu1" ] ||
    fail "the other campaign: $(cat "$dir/submitted")"
want 2 "$rea" runbook nodes --release gpu9
says 'no node gpu9'
want 0 "$rea" runbook nodes --release gpu1
says 'in use again'
want 0 "$rea" stop C2
exit 0
