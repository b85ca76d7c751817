# Words for the tests of the local backend; sourced with the repository's root
# as the current folder. Each test works in a private folder, $T.
B=${BUILD:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
D=$B/test/job_drive
REA_SHIM=$B/rea-shim
export REA_SHIM
for f in "$D" "$REA_SHIM"; do
    [ -x "$f" ] || { echo "$f is missing: run make first"; exit 1; }
done
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

fail() {
    echo "$0: $*"
    exit 1
}

# submit TOKEN [name=value ...] -- COMMAND...
submit() {
    token=$1
    shift
    "$D" "$T/jobs" submit "$token" "$T/$token" "$@" >"$T/said" 2>&1 ||
        fail "submit $token: $(cat "$T/said")"
}

# ended TOKEN "STATE REASON EXIT SIGNAL" [SECONDS]
ended() {
    got=$("$D" "$T/jobs" wait "$1" "${3:-20}" 2>/dev/null)
    case $got in
    "$2 "*) ;;
    *) fail "$1 ended as '$got', not '$2'" ;;
    esac
    ms=${got##* }
}

# field FILE NAME: one value of a flat JSON file
field() {
    python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

# within NAME VALUE LOW HIGH
within() {
    [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1 is $2, not $3..$4"
}

# Is this process running? One that only waits to be reaped is not.
alive() {
    grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null
}
