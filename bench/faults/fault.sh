#!/bin/sh
# Runs the bundled trainer. The attempts of trial $FAULT_TRIAL up to the one
# numbered $FAULT_HITS meet the fault $FAULT: one that the trainer injects into
# itself (inject.h), or one of the machine's below.
set -u
how=--epochs=2
# a curve that rises to its end, which others are held against
[ "$FAULT" != forget ] || how="--epochs=5 --patience=0 --optimizer=sgd"
learn() {
    # shellcheck disable=SC2086 # several words
    rea-ctr --data=data --cache=cache --report-test=true $how "$@"
}
train() {
    learn "$@"
    exit
}
# A node that is bad from this trial on breaks whatever comes to it.
if [ "$FAULT" = off-bus ] && [ "${SLURMD_NODENAME:-}" = gpu1 ] &&
    [ "${REA_TRIAL#T}" -ge "${FAULT_TRIAL#T}" ]; then
    echo "NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus." >&2
    exit 1
fi
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
hungry) # more memory than a job gets, less than it may get
    dd if=/dev/zero of=/dev/null bs=500M count=8 || exit 1
    train "$@" ;;
forget) # learns as the baseline did, loses it, and goes on
    learn "$@" --lr=5e-3 --dim=4 --batch-size=256
    for step in 6 7 8; do
        echo "{\"step\": $step, \"valid.auc\": 0.5}" >>"$REA_METRICS_FILE"
        sleep .3
    done
    sleep 5 ;;
off-bus) # on another node there is nothing wrong
    train "$@" ;;
silent-end) # ends well and has measured nothing
    exit 0 ;;
no-module)
    echo "ModuleNotFoundError: No module named 'torchrec'" >&2
    exit 1 ;;
*) echo "fault.sh: no fault $FAULT" >&2 && exit 3 ;;
esac
