#!/bin/sh
# The sealed metric is in no verb's output until confirmation has opened it.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
export SLEEP=0.2
sign
want 0 "$rea" run C1
until [ -s .rea/runs/C1/T1/a1/exit.json ]; do sleep 0.1; done
sleep 0.5
want 0 "$rea" pause
sealed=$(sed -n 's/^test auc = //p' .rea/runs/C1/T1/a1/stdout.log)
[ -n "$sealed" ] || fail "the job printed no test auc"
for v in "status C1" "why T1" "why J1" "show T1" "show E0" "log T1" \
    "log T1 --all" "log C1 --all" "report --md" "diff E0 T1" "repro T1"; do
    # shellcheck disable=SC2086
    want 0 "$rea" $v
    says_not "$sealed"
    # shellcheck disable=SC2086
    want 0 "$rea" $v --json
    says_not "$sealed"
done
want 0 "$rea" report -o r.html
! grep -q "$sealed" r.html || fail "the report shows it"
want 0 "$rea" log T1; says 'test auc = #'; says 'valid auc = 0\.7'
want 0 "$rea" resume
SLEEP=0 want 0 "$rea" run --wait
# the look was at the trials of confirmation; T1 was not one of them
want 0 "$rea" log T1; says_not "$sealed"; says 'test auc = #'
opened=$("$rea" report --json |
    jq -r '[.trials[] | select(.phase == "confirmation")][0].id')
want 0 "$rea" log "$opened"; says 'test auc = 0\.7'
exit 0
