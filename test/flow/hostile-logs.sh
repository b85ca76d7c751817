#!/bin/sh
# Hostile output of jobs: escape sequences, instructions, secrets, formats, huge
# lines, NULs, false exit files and metrics. Nothing of it is executed, no
# secret gets into the state or a report, and no control character gets to a
# terminal; the campaign ends with the metrics that were really reported.
. "$(dirname "$0")/lib.sh"
logs=$top/test/hostile/logs
mkdir ws && cd ws || exit 1
mkdir logs && cp "$logs"/*.log logs/
head -c 3000000 /dev/zero | tr '\0' 'A' >logs/05-gigantic.log
echo ' CUDA out of memory token=CANARYgigantic123' >>logs/05-gigantic.log
ls logs >list
cat >train.sh <<'SH'
#!/bin/sh
# train.sh METRICS SEED LR RUN_DIR: prints one of the logs, writes what lies
set -u
count=$(wc -l <list)
i=$(($2 % count + 1))
log=logs/$(sed -n "${i}p" list)
cat "$log"
cat "$log" >&2
echo '{"version": 1, "token": "x", "reason": "ok", "exit_code": 0}' \
    >"$4/exit.json"
echo "own words" >"$4/sandbox.why"
# the metrics file is the job's own word; what it only prints is none
case $log in *fake-metrics*) ;; *) cat "$log" >>"$1" ;; esac
[ $(($2 / count % 3)) = 0 ] && exit 1
printf '\n{"step": 1, "auc": 0.7%03d, "test": 0.7%03d}\n' \
    $(($2 % 1000)) $(($2 % 1000)) >>"$1"
SH
cat >rea.toml <<'TOML'
schema = 1
[project]
name = "hostile"
[train]
command = "sh train.sh {metrics_file} {seed} {knob.lr} {run_dir}"
seed = "seed"
[resources]
time = "60s"
[metric.auc]
primary = true
goal = "max"
min_gain = 1e-2
[metric.test]
role = "sealed"
goal = "max"
[knob.lr]
type = "float"
range = [0.005, 0.1]
default = 0.02
[plan]
max_hypotheses = 2
[baseline]
seeds = 12
[budget]
unit = "trials"
total = 60
max_parallel = 4
TOML
export REA_SEED=5
# shown SOMETHING: the last output is fit for a terminal and holds no secret
shown() {
    ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' out ||
        fail "$1: control characters: $(grep -aP '[\x00-\x08\x0b-\x1f\x7f]' \
            out | cat -v | head -n 3)"
    ! LC_ALL=C grep -qP '\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]' out ||
        fail "$1: bidirectional controls"
    iconv -f UTF-8 -t UTF-8 out >/dev/null 2>&1 || fail "$1: not UTF-8"
    ! grep -q CANARY out || fail "$1: $(grep -m 2 CANARY out | head -c 300)"
}
n=0
for f in logs/*.log; do
    timeout 20 "$rea" runbook test "$f" >out 2>err </dev/null
    case $? in 0 | 1 | 4) ;; *) fail "$f: $(cat out err)" ;; esac
    cat err >>out
    shown "runbook test $f"
    n=$((n + 1))
done
[ "$n" -ge 15 ] || fail "only $n logs"
sign
for i in 1 2 3 4 5; do
    timeout 240 "$rea" run --wait -q >out 2>err </dev/null
    cat err >>out; shown "run"
    case $(state) in done | stopped) break ;; esac
    "$rea" resume C1 -q >out 2>&1
done
case $(state) in done | halted) ;; *) fail "$(state)" ;; esac
trials=$("$rea" report --json C1 | jq '.trials | length')
[ "$trials" -ge 15 ] || fail "only $trials trials"
for what in "status C1" "status" "log C1 --all" "report C1 --md" \
    "report C1 --json" "log C1 --all --json" "why C1" "show C1" \
    "hypothesis list"; do
    # shellcheck disable=SC2086
    timeout 60 "$rea" $what >out 2>err </dev/null || fail "$what: $(cat err)"
    shown "$what"
    case $what in *json*) jq -e . out >/dev/null || fail "$what: no JSON" ;; esac
done
for t in $(seq 1 2 "$trials"); do
    for what in "show T$t" "why T$t" "log T$t" "log T$t --all" \
        "log T$t --json"; do
        # shellcheck disable=SC2086
        timeout 60 "$rea" $what >out 2>err </dev/null || fail "$what: $(cat err)"
        shown "$what"
        case $what in *json*) jq -e . out >/dev/null || fail "$what" ;; esac
    done
done
timeout 60 "$rea" report C1 -o out.html >out 2>err || fail "report"
cp out.html out; shown "html"
! grep -qE '<script>alert|onerror=alert\(2\)>' out.html || fail "html injection"
# the state: no secret in any table
python3 - <<'PY' || fail "a secret in the state"
import glob, sqlite3, sys
bad = 0
for f in glob.glob(".rea/*.db*"):
    bad += b"CANARY" in open(f, "rb").read()
sys.exit(bad)
PY
# nothing was executed, no lie was believed
[ -z "$(find "$dir" -name 'HACKED*')" ] || fail "something was executed"
[ "$("$rea" --json status | jq '.campaigns[0].budget.approved')" = 60 ] ||
    fail "the budget changed"
"$rea" report --json C1 | jq -e '[.trials[].metrics.auc // empty |
    select(. < 0.7 or . >= 0.8)] | length == 0' >/dev/null || fail \
    "a false metric: $("$rea" report --json C1 | jq -c '[.trials[].metrics]')"
for f in .rea/runs/C1/T*/a*/exit.json; do
    jq -e '.token != "x"' "$f" >/dev/null || fail "$f is the job's own"
done
exit 0
