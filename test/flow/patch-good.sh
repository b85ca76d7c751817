#!/bin/sh
# In the sandbox, too, a run that ran away is begun again from the last good
# checkpoint: it lies in the new attempt's own folder, and the old one is not
# shown.
. "$(dirname "$0")/patched.sh"
patch_workspace ws
export REA_SEED=13
cat >train.sh <<'SH'
#!/bin/sh
# train.sh METRICS SEED CHECKPOINT LR [resume]
ck=$3 dir=$(dirname "$3")
say() { echo "{\"step\": $1, \"auc\": $2, \"test\": $2}" >>"$metrics"; }
metrics=$1
same() { # the supervisor has linked this version
    for i in $(seq 200); do
        [ "$1" -ef "$ck" ] && return
        sleep 0.05
    done
    exit 3
}
echo "from $([ -z "$5" ] || cat "$ck"), lr $4"
if [ "$REA_TRIAL-$REA_ATTEMPT" = T1-1 ]; then
    say 1 0.7
    echo 1 >"$ck.tmp" && mv "$ck.tmp" "$ck"
    same "$dir/.last.next"
    say 2 0.7
    same "$dir/.last.good"
    echo bad >"$ck.tmp" && mv "$ck.tmp" "$ck"
    say 3 NaN
    sleep 20
fi
ls -d "$dir/../../a1" 2>/dev/null # not shown
say 4 0.7$(printf %.2s "$2")
SH
sed -i 's|^command = .*|command = "sh train.sh {metrics_file} {seed} {checkpoint} {knob.lr} {resume}"\nresume = "resume"\ncheckpoint = "{run_dir}/last"|
    s|^smoke = .*|smoke = "sh train.sh {metrics_file} {seed} {checkpoint} {knob.lr}"|
    s|^seeds = .*|seeds = 2|; s|^total = .*|total = 5|
    s|^max_hypotheses = .*|max_hypotheses = 1\nphases = ["validation"]|' rea.toml
git add -A && git commit -qm slow
sign
want 0 "$rea" run C1
i=0
until [ -s .rea/runs/C1/T1/a2/exit.json ]; do
    i=$((i + 1))
    [ $i -lt 200 ] || fail "$("$rea" log --all C1; cat .rea/runs/C1/T1/*/*.log)"
    sleep 0.1
done
a1=.rea/runs/C1/T1/a1 a2=.rea/runs/C1/T1/a2
[ "$(jq -r .reason $a1/exit.json)" = nan ] || fail "$(cat $a1/exit.json)"
[ "$(cat $a2/stdout.log)" = "from 1, lr 0.01" ] || fail "$(cat $a2/*.log)"
[ "$(cat $a1/work/last)" = bad ] || fail "what ran away is gone"
until [ -z "$(ls -A .rea/jobs)" ]; do sleep 0.1; done
exit 0
