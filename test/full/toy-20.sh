#!/bin/sh
# Twenty campaigns on the contract's toy project with different seeds: at least
# 18 propose a gain of .0012 or more with a sealed interval above 0.
set -eu
[ -n "${REA_CONTRACT:-}" ] || { echo "REA_CONTRACT is not set: skipped"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
good=0
for seed in $(seq 1 20); do
    cp -r "$REA_CONTRACT/toy" "$tmp/$seed"
    rea() { "$BUILD/rea" -C "$tmp/$seed" "$@"; }
    hash=$(REA_SEED=$seed rea plan --json | jq -r .hash)
    rea approve "$hash" -q
    rea run --wait -q
    rea report --json >"$tmp/report.json"
    jq -c --arg seed "$seed" '[$seed, .proposal.sealed.gain, .proposal.sealed.lo]' \
        "$tmp/report.json"
    jq -e '.proposal.sealed | .gain >= .0012 and .lo > 0' \
        "$tmp/report.json" >/dev/null && good=$((good + 1))
done
echo "$good of 20 propose a gain of .0012 or more"
[ "$good" -ge 18 ]
