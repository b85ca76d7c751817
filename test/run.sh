#!/usr/bin/env bash
# All tests in the order unit, trace, sim, flow, so that the first red is the
# cause. Closes with 'N passed, N failed'. Second argument `full`: the long
# forms. Each test is one program or script; its output is kept in
# build/log/NAME and shown when it fails.
set -u
build=${1:-build}
form=${2:-}
case "$build" in /*) ;; *) build=$PWD/$build ;; esac
top=$PWD
log=$build/log
rm -rf "$log"
mkdir -p "$log"
export BUILD="$build" REA_BUILD="$build"
[ -n "${REA_DATA:-}" ] || { [ -d ../shared/data ] &&
    REA_DATA=$(cd ../shared/data && pwd) && export REA_DATA; }
[ -n "${REA_CONTRACT:-}" ] || { [ -d ../shared/contract ] &&
    REA_CONTRACT=$(cd ../shared/contract && pwd) && export REA_CONTRACT; }
export LOG="$log"

one() { # name, command...
    name=$1
    shift
    begin=$(date +%s)
    if timeout "${LIMIT:-600}" "$@" >"$log/$name" 2>&1; then
        what=ok
    else
        [ $? = 77 ] && what=skip || what=FAIL
    fi
    printf '%-4s %4ds  %s\n' "$what" $(($(date +%s) - begin)) "$name"
    echo "$what $name" >>"$log/results"
    [ "$what" != FAIL ] || sed 's/^/    | /' "$log/$name" | tail -n 25
    [ "$what" != skip ] || sed 's/^/    | /' "$log/$name" | tail -n 1
}

# The tests of one stage on both cores; a test that needs quiet runs alone.
lanes=2
many() { # prefix, files...
    prefix=$1
    shift
    for t in "$@"; do
        [ -e "$t" ] || continue
        name=$prefix-$(basename "$t" .sh)
        while [ "$(jobs -rp | wc -l)" -ge "$lanes" ]; do sleep 0.1; done
        case "$t" in
        *.sh) one "$name" sh "$t" & ;;
        *) one "$name" "$t" & ;;
        esac
    done
    wait
}

echo "== build"
: >"$log/results"
one build-gcc make -s -j2 BUILD="$build" all tests
one tidy sh tools/tidy.sh "$build"
one format sh -c 'clang-format --dry-run -Werror $(git ls-files "src/*.[ch]" "trainer/*.[ch]" "test/*.[ch]" "bench/*.[ch]" "tools/*.[ch]")'
echo "== unit"
many unit "$build"/test/unit/test_*
echo "== trace"
many trace test/trace/*.sh
echo "== sim"
lives=${LIVES:-3000} truth=${TRUTH:-2000} steps=${STEPS:-1500000}
[ "$form" != full ] || { lives=100000; truth=20000; }
LIMIT=3000
one sim-truth "$build/test/sim/sim_truth" --lives=$truth &
one sim-laws "$build/test/sim/sim_laws" --lives=$lives
logs=test/unit/data/signatures/rules.txt
one sim-system "$build/test/sim/sim_system" --steps=$steps --logs=$logs
one sim-system-control "$build/test/sim/sim_system" --logs=$logs --control=1
one sim-pool "$build/test/sim/sim_pool" --lives=24
one sim-sources "$build/test/sim/sim_sources"
wait
LIMIT=600
tail -n 1 "$log/sim-laws"
sed 's/^/  /' "$log/sim-truth"
echo "== model"
[ "$form" != full ] || export JOBS=2
many model test/spin/*.sh
unset JOBS
echo "== flow"
# Clusters mostly wait: they go beside the others, one after the other.
clusters="test/flow/slurm-endings.sh
test/flow/slurm-campaign.sh
test/flow/slurm-nodes.sh
test/flow/gridengine-campaign.sh"
for t in $clusters; do one flow-$(basename "$t" .sh) sh "$t"; done &
lanes=3
# shellcheck disable=SC2046
many flow $(ls test/flow/[a-z]*-*.sh | grep -vxF "$clusters")
lanes=2
many old test/old/*.sh
[ "$form" != full ] || LIMIT=3000 many full test/full/*.sh
echo "== crash"
many crash test/crash/*.sh
echo "== fuzz, sanitizers and clang"
one build-clang make -s clang
one build-asan make -s asan
many fuzz test/fuzz/*.sh
many asan "$build"/asan/test/unit/test_*
one asan-sim-laws "$build/asan/test/sim/sim_laws" --lives=40
one asan-sim-system "$build/asan/test/sim/sim_system" --steps=100000 --logs=$logs

cd "$top" || exit 1
passed=$(grep -c '^ok' "$log/results")
failed=$(grep -c '^FAIL' "$log/results")
skipped=$(grep -c '^skip' "$log/results")
grep '^FAIL' "$log/results"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 20 ]
