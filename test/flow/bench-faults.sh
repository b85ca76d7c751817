#!/bin/sh
# Every kind of fault once, on the recorded backend and with the bundled
# trainer: each is resolved without a human, by the remedy that was written
# down for it (bench/faults), within the budget.
. "$(dirname "$0")/lib.sh"
BUILD=$build sh "$top/bench/bench-faults.sh" all 1
