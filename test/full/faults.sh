#!/bin/sh
# Every kind of fault with four seeds: the table of docs/faults.md.
exec sh "$(dirname "$0")/../../bench/bench-faults.sh" all 4
