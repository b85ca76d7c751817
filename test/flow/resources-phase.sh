#!/bin/sh
# Jobs of a phase get what it declares, and are charged by it. The scheduler is a script that notes what it is asked for.
. "$(dirname "$0")/lib.sh"
shell_model ws && cd ws || exit 1
sed -i '/^\[backend\]/,$d; s/^unit = .*/unit = "core_hours"/; s/^total = .*/total = 3/
    s/^seeds = .*/seeds = 3\n[plan]\nphases = ["validation", "confirmation"]\nmax_hypotheses = 2/; s/^max_parallel = .*/max_parallel = 2/' rea.toml
cat >"$dir/submit" <<'E2'
#!/bin/sh
# submit SCRIPT WORDS...
trial=$(basename "$(dirname "$(dirname "$1")")")
script=$1
shift
echo "$trial $*" >>"$HOME/submitted"
"$script" >/dev/null 2>&1 &
echo $!
E2
cat >"$dir/state" <<'E2'
#!/bin/sh
kill -0 "$1" 2>/dev/null && echo RUNNING || echo DONE
E2
chmod +x "$dir/submit" "$dir/state"
cat >>rea.toml <<E2
[resources]
cpus = 1
memory = "100M"
time = "1m"
[resources.confirmation]
cpus = 2
gpus = 1
memory = "150M"
time = "2m"
[backend]
kind = "command"
submit = "$dir/submit {script} {cpus} {gpus} {memory_mb} {time}"
state = "$dir/state {id}"
cancel = "kill {id}"
E2
sign
want 0 "$rea" run C1
i=0
until [ "$(state)" = "done" ]; do
    i=$((i + 1))
    [ $i -lt 300 ] || fail "no end: $("$rea" status) $(cat "$dir/submitted")"
    sleep 0.2
    "$rea" sweep >/dev/null 2>&1
done
"$rea" --json report >report.json || fail report
jq -r '.trials[] | "\(.id) \(.phase)"' report.json | sort >phases
sort "$dir/submitted" | join phases - >asked
[ "$(grep -c ' confirmation ' asked)" -ge 4 ] || fail "no confirmation: $(cat asked)"
# the scheduler's time: the limit, grace and a minute
awk '{ want = $2 == "confirmation" ? "2 1 150 210" : "1 0 100 150"
       if ($3 " " $4 " " $5 " " $6 != want) { print; bad = 1 } }
     END { exit bad }' asked >bad || fail "asked for: $(cat bad)"
# charged: the time it took, times its own cpus
for t in $(cut -d' ' -f1 asked); do
    cpus=$(awk -v t="$t" '$1 == t { print $3 }' asked)
    jq -e --arg t "$t" --argjson cpus "$cpus" \
        --argjson ms "$(jq .duration_ms ".rea/runs/C1/$t/a1/exit.json")" '.trials[] |
        select(.id == $t) | (.cost - $cpus * $ms / 3600000) | . >= 0 and . < 2e-6' \
        report.json >/dev/null || fail "$t with $cpus cpus: $(jq -c '.trials[] |
        [.id, .cost]' report.json) $(cat ".rea/runs/C1/$t/a1/exit.json")"
done
tr '\0' '\n' <.rea/runs/C1/T1/a1/shim.cmd | grep -qx 'time_ms=60000' || fail "T1's limit"
last=$(sed -n 's/ confirmation .*//p' asked | tail -1)
tr '\0' '\n' <".rea/runs/C1/$last/a1/shim.cmd" | grep -qx 'time_ms=120000' ||
    fail "$last's limit"
want 0 "$rea" replay C1
exit 0
