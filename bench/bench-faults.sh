#!/bin/sh
# Faults of known kinds, each in whole campaigns: is the right thing done,
# without a human, and what is wasted.
#   BUILD=build sh bench/bench-faults.sh recorded|live|all [SEEDS [KIND]]
# live: the bundled trainer on the local backend. bench/faults/kinds.txt and
# live.txt say what is expected; the table on standard output is that of
# docs/faults.md; waste is the mean of the campaigns' shares. Exit 1: below 95 %
# resolved, a wrong remedy, more than 10 % wasted, or a budget that was passed.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$top/build}
case $build in /*) ;; *) build=$top/$build ;; esac
part=${1:-all} seeds=${2:-4} only=${3:-}
rea=$build/rea
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
export HOME="$work" LC_ALL=C REA_SHIM="$build/rea-shim" PATH="$build:$PATH"
die() { echo "bench-faults: $*" >&2; exit 2; }
[ -x "$rea" ] && [ -x "$build/test/recorded_next" ] || die "nothing is built"

log_of() { # RULE: its log, as a JSON string
    sed -n "/^== $1\$/,/^== /p" "$top/test/unit/data/signatures/rules.txt" |
        grep -vE '^(== |also )' | jq -Rs .
}
row() { # TRIAL ATTEMPT FIELDS: the fault, where none is said after 30 s
    printf '{"duration_ms":30000,"match":{"trial":"%s"%s},%s}\n' "$1" \
        "${2:+,\"attempt\":$2}" "$3" | jq -c .
}
rows() { # TRIAL HITS FIELDS
    case $2 in
    all) row "$1" "" "$3" ;;
    +*) row "$1" 1 '"reason":"preempted","checkpoint":true'
        row "$1" 2 "$3" ;;
    *) for a in $(seq "$2"); do row "$1" "$a" "$3"; done ;;
    esac
}
# The world: lr wants to be 3 times its default; the rest is noise.
world='{"world":{"metrics":{"auc":{"base":0.74,"sd":0.0003},"test":{"base":0.74,
"sd":0.0003}},"effects":[{"knob":"lr","best":0.03,"curve":-0.003,"log":true}],
"steps":3,"duration_ms":60000,"jitter":0.2}}'

campaign() { # SEED: one campaign in the current folder, to its end
    export REA_SEED="$1"
    "$rea" --json plan >plan.json 2>err &&
        "$rea" approve "$(jq -r .hash plan.json)" >out 2>err &&
        "$rea" run C1 -q >out 2>err || die "no campaign: $(cat err)"
    if [ -n "${REA_CLOCK:-}" ]; then
        while "$build/test/recorded_next" .rea/jobs >ends; do
            "$rea" wake C1 >out 2>err || die "a wake failed: $(cat err)"
        done
    else # a campaign that halts does not come to its end
        timeout 120 "$rea" run C1 --wait -q >out 2>err
    fi
    "$rea" --json status >status.json && "$rea" --json report >report.json &&
        "$rea" log C1 --all --json >log.json || die "no report"
    "$rea" replay C1 >out 2>&1 && grep -q PASS out || die "$(cat out)"
}
# away: after the trial's first job on gpu1 at most the one that was on its way
# beside it went there, and others went elsewhere.
where_to() { # TRIAL
    [ -e nodes ] || return
    awk -v t="$1" 'there { n[$1]++ }
        $1 == "gpu1" && $2 == t { there = 1 }
        END { if (there && n["gpu1"] + 0 <= 1 && n["gpu2"] > 0) print " away"
            else print " back to the node" }' nodes
}
# What the trial's first and last job were given, for a kind that names it: the
# log says what was meant, the files of a job what was done.
given() { # TRIAL EXPECTED
    case $2 in *with*) ;; *) return ;; esac
    jobs=.rea/runs/C1/$1
    last=$(find "$jobs" -name 'a[0-9]*' -type d | sed 's/.*a//' | sort -n | tail -1)
    knob() { jq -r --arg k "$2" '.[$k] // 0' "$jobs/a$1/knobs.json"; }
    twice() { # WORDS SMALL LARGE: whole numbers may be rounded
        awk -v w="$1" -v a="$2" -v b="$3" 'BEGIN { d = b - 2 * a
            one = b == int(b) && b > 2 ? 1 : 1e-9 * b
            print (a > 0 && d <= one && d >= -one) ? " " w : " not " w }'
    }
    memory() { tr '\0' '\n' <"$jobs/a$1/shim.cmd" | sed -n 's/^memory_bytes=//p'; }
    case $2 in
    *memory*) twice "with twice the memory" "$(memory 1)" "$(memory "$last")" ;;
    *batch*)
        twice "with half the batch" "$(knob "$last" batch)" "$(knob 1 batch)"
        twice "and twice the accumulation" "$(knob 1 accumulation-steps)" \
            "$(knob "$last" accumulation-steps)" ;;
    *rate*)
        twice "with half the rate" "$(knob "$last" lr)" "$(knob 1 lr)"
        jq -r 'if .reason == "diverged" and (.detail | test("baseline"))
            then ", below the baseline" else ", for another reason" end' \
            "$jobs/a1/exit.json" ;;
    esac | tr -d '\n'
}
judged() { # KIND EXPECTED END TRIAL: a line of results
    jq -f "$top/bench/faults/judge.jq" log.json >judged.json || die "judge.jq"
    jq -r -n --arg kind "$1" --arg want "^($2)\$" --arg ending "$3" \
        --arg t "$4" --arg where "$(where_to "$4")$(given "$4" "$2")" \
        --slurpfile s status.json --slurpfile r report.json \
        --slurpfile j judged.json '
        $s[0].campaigns[0] as $c
        | (([$j[0][] | select(.trial == $t)][0].remedies // "") + $where)
            as $did
        | ([$r[0].trials[] | select(.id == $t)][0].state) as $state
        | ($c.state == "done" and $state == $ending) as $resolved
        | [$kind, $t, (if $did == "" then "-" else $did end), $state, $c.state,
           (if $resolved then 1 else 0 end),
           (if $did | test($want) then 0 else 1 end),
           ([$j[0][].wasted] | add // 0), $c.budget.spent,
           (if $c.budget.spent > $c.budget.approved then 1 else 0 end)]
        | @tsv' || die "no result"
}

# One seed hits the baseline only: a small campaign shows the same sooner.
project() { # FILE TOTAL MORE: the project; with one seed of this budget
    sed "$([ "$seeds" != 1 ] || echo "s/^total = .*/total = $2/")" \
        "$top/bench/faults/$1" >rea.toml
    [ -z "$3" ] || cat "$top/bench/faults/$3" >>rea.toml
}
# recorded KIND HITS RULE FIELDS EXPECTED END MORE SEED
recorded() {
    rm -rf "$work/ws" && mkdir "$work/ws" && cd "$work/ws" || exit 2
    project project.toml 0.3 "$7"
    trial=$(trial_of "$8" T2 T7 T11 T16)
    fields=$4
    # no fault, but a log that looks like one
    [ "$4" != - ] ||
        fields='"metrics":[{"step":1,"auc":0.74,"test":0.74}]'
    [ "$3" = - ] || fields="$fields,\"stderr\":$(log_of "$3")"
    rows "$trial" "$2" "$fields" >record.jsonl
    echo "$world" | tr -d '\n' >>record.jsonl
    export REA_CLOCK="$work/ws/clock"
    echo 1000000 >clock
    campaign "$8"
    judged "$1" "$5" "$6" "$trial"
}
# live KIND HITS FAULT EXPECTED END MORE SEED
live() {
    [ -d "$work/data" ] ||
        rea-ctr --generate="$work/data" --rows=6000 >"$work/out" 2>&1 ||
        die "no data: $(cat "$work/out")"
    rm -rf "$work/ws" && mkdir "$work/ws" && cd "$work/ws" || exit 2
    project live.toml 14 "$6"
    cp "$top/bench/faults/fault.sh" "$top/bench/faults/node.sh" .
    # no cache: the trainer says so, which explains no failure
    ln -s ../data data && ln -s ../cache cache
    if [ "$3" = forget ]; then # once there is a curve to be held against
        FAULT_TRIAL=$(trial_of "$7" T4 T5 T6 T7)
    else
        FAULT_TRIAL=$(trial_of "$7" T2 T5 T7 T9)
    fi
    export FAULT="$3" FAULT_HITS="$2" FAULT_TRIAL
    unset REA_CLOCK
    campaign "$7"
    judged "$1" "$4" "$5" "$FAULT_TRIAL"
}

# Seed 1 hits a run of the baseline, the others ideas and the search.
trial_of() { # SEED TRIAL...
    shift "$(((($1 - 1) % 4) + 1))"
    echo "$1"
}

: >"$work/results"
kept() { # CLASS: the line of results into the list
    printf '%s\t%s\n' "$1" "$(cat "$work/line")" >>"$work/results"
}
wanted() { [ -z "$only" ] || [ "$only" = "$kind" ]; }
lines() { grep -v '^#' "$top/bench/faults/$1" | sed 's/ *; */;/g'; }
if [ "$part" != live ]; then
    lines kinds.txt >"$work/kinds"
    while IFS=';' read -r kind class hits rule fields want end more; do
        wanted || continue
        for seed in $(seq "$seeds"); do
            recorded "$kind" "$hits" "$rule" "$fields" "$want" "$end" \
                "$more" "$seed" >"$work/line" || exit 2
            kept "$class"
        done
    done <"$work/kinds"
fi
if [ "$part" != recorded ]; then
    lines live.txt >"$work/kinds"
    while IFS=';' read -r kind class hits fault want end more; do
        wanted || continue
        for seed in $(seq "$seeds"); do
            live "$kind" "$hits" "$fault" "$want" "$end" "$more" "$seed" \
                >"$work/line" </dev/null || exit 2
            kept "$class"
        done
    done <"$work/kinds"
fi
[ -s "$work/results" ] || die "no kind '$only' in bench/faults"
[ -z "${RESULTS:-}" ] || cp "$work/results" "$RESULTS"
awk -F'\t' '
function flush() {
    if (n > 0)
        printf "| %s | %s | %s | %d of %d | %d | %.1f %% |\n", kind, class,
            did, ok, n, wrong, 100 * waste / n
    n = ok = wrong = waste = 0; did = ""
}
BEGIN { print "| fault | class | done | resolved | wrong | wasted |"
    print "|---|---|---|---|---|---|" }
$2 != kind { flush(); kind = $2; class = $1; kinds++ }
{ n++; ok += $7; wrong += $8; share = $10 > 0 ? $9 / $10 : 0; waste += share
    if (index(did, $4) == 0) did = did (did == "" ? "" : ", ") $4
    N++; OK += $7; WRONG += $8; WASTE += share; OVER += $11 }
$7 == 0 || $8 == 1 { bad = bad sprintf("not as wanted: %s, %s: %s; trial %s, \
campaign %s\n", $2, $3, $4, $5, $6) }
END { flush()
    printf "\n%d campaigns of %d kinds: resolved %.1f %%, wrong remedies %d, \
wasted %.1f %%, budget passed %d\n", N, kinds, 100 * OK / N, WRONG,
        100 * WASTE / N, OVER
    printf "%s", bad
    exit !(OK >= .95 * N && WRONG == 0 && WASTE <= .1 * N && OVER == 0) }
' "$work/results"
