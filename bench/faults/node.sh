#!/bin/sh
# A scheduler of two nodes, gpu1 preferred: node.sh submit SCRIPT EXCLUDED starts
# it and prints its number, node.sh state NUMBER says whether it runs. "nodes"
# lists where jobs went, in order: node, trial, attempt.
case $1 in
submit)
    node=gpu1
    case ,$3, in *,gpu1,*) node=gpu2 ;; esac
    echo "$2" | sed "s|.*/\\(T[0-9]*\\)/a\\([0-9]*\\)/.*|$node \\1 \\2|" >>nodes
    SLURMD_NODENAME=$node "$2" >/dev/null 2>&1 &
    echo $! ;;
state)
    kill -0 "$2" 2>/dev/null && echo RUNNING || echo DONE ;;
esac
