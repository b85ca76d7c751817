#!/bin/sh
# A bad node of a real cluster of two: it fails one job, then Slurm is asked to
# leave it out and does, for every campaign, until it is released. Where the
# jobs ran is what Slurm wrote down of them. The control, a campaign without
# quarantine, goes on losing jobs there.
. "$(dirname "$0")/lib.sh"
slurm_cluster 2
bad=$(sed -n 1p "$cluster/nodes") good=$(sed -n 2p "$cluster/nodes")
ran() { # NODE: how many jobs of rea ended there, by the scheduler's own record
    grep 'Name=rea-' "$cluster/log/jobcomp.txt" 2>/dev/null |
        grep -c "NodeList=$1 "
}

shell_model ws && cd ws || exit 1
sed -i '/^\[backend\]/,$d; s/^total = .*/total = 16/; s/^seeds = 5/seeds = 3/
    s/^max_parallel.*/max_parallel = 1/; s/^\[train\]/&\nbackoff = "0s"/' rea.toml
cat >>rea.toml <<E2
[resources]
memory = "100M"
time = "1m"
[backend]
kind = "slurm"
E2
{
    echo "if [ \"\$SLURMD_NODENAME\" = $bad ]; then"
    echo '    echo "NVRM: GPU has fallen off the bus." >&2; exit 1; fi'
    cat train.sh
} >broken.sh && mv broken.sh train.sh

sign
want 0 "$rea" run --wait
[ "$(state)" = 'done' ] || fail "state $(state): $("$rea" status)"
[ "$(ran "$bad")" = 1 ] || fail "the bad node got $(ran "$bad") jobs"
[ "$(ran "$good")" -ge 8 ] || fail "the good node got $(ran "$good") jobs"
want 0 "$rea" runbook nodes
says "^$bad +out for 2[34]\.[0-9] h more \(time 1\): .*fallen off the bus"

# --- another campaign stays away from its first job on; released, the node
# gets jobs again, and is out again when it fails again
mkdir models
sed 's/name = "shell"/name = "other"/' rea.toml >models/other.toml
"$rea" --json plan other >plan.json || fail "plan: $?"
want 0 "$rea" approve "$(jq -r .hash plan.json)"
want 0 "$rea" run C2
before=$(ran "$good") i=0
until [ "$(ran "$good")" -ge $((before + 3)) ]; do
    i=$((i + 1))
    [ $i -lt 200 ] || fail "the other campaign stands still: $("$rea" status)"
    sleep 0.1
done
[ "$(ran "$bad")" = 1 ] || fail "the other campaign went to the bad node"
want 0 "$rea" runbook nodes --release "$bad"
until_state 'done' C2
[ "$(ran "$bad")" = 2 ] || fail "after its release it got $(ran "$bad") jobs"
want 0 "$rea" runbook nodes
says "^$bad +out for 2[34]\.[0-9] h more"

# --- the control
cd .. && mkdir ws2 && cp ws/train.sh ws2 && cd ws2 || exit 1
sed 's/^kind = "slurm"/&\nquarantine = "0s"/' ../ws/rea.toml >rea.toml
sign
want 0 "$rea" run
i=0
until [ "$(ran "$bad")" -ge 4 ]; do
    i=$((i + 1))
    [ $i -lt 200 ] || fail "without quarantine: $(ran "$bad") jobs there"
    sleep 0.1
done
"$rea" stop C1 >out 2>err </dev/null || fail "stop: $(cat err)"
exit 0
