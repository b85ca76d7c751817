#!/bin/sh
# Runs the bundled trainer. The attempts of trial $FAULT_TRIAL up to the one
# numbered $FAULT_HITS meet the fault $FAULT: one that the trainer injects into
# itself (inject.h), or one of the machine's below.
set -u
train() {
    exec rea-ctr --data=data --cache=cache --epochs=2 --report-test=true "$@"
}
[ "$REA_TRIAL" = "$FAULT_TRIAL" ] && [ "$REA_ATTEMPT" -le "$FAULT_HITS" ] ||
    train "$@"
case $FAULT in
*@*) train "$@" --inject="$FAULT" ;;
twice) # at a later step each time
    train "$@" --inject="term@$((12 * REA_ATTEMPT))" ;;
torn) # stopped with a checkpoint, which a crash of the machine then cuts
    [ "$REA_ATTEMPT" = 1 ] || {
        for a in "$@"; do
            case $a in --resume=*)
                head -c 500 "${a#*=}" >cut && mv cut "${a#*=}" ;;
            esac
        done
        train "$@"
    }
    train "$@" --inject=term@5 ;;
full) # the disk of the metrics
    train "$@" --metrics=/dev/full ;;
host) # the machine is told to go down
    kill -TERM "$PPID" && sleep 20 ;;
slow) # far behind its time, with signs of life
    while :; do echo waits; sleep 1; done ;;
silent-end) # ends well and has measured nothing
    exit 0 ;;
no-module)
    echo "ModuleNotFoundError: No module named 'torchrec'" >&2
    exit 1 ;;
*) echo "fault.sh: no fault $FAULT" >&2 && exit 3 ;;
esac
