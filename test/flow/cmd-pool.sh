#!/bin/sh
# Two campaigns under one pool: nothing runs before both are signed, the model
# with much to gain and a high weight gets more money, floors are held,
# the pool is never exceeded, and what is not used goes back.
. "$(dirname "$0")/lib.sh"
export REA_SEED=3
mkdir -p ws/models && cd ws || exit 1
cp "$top"/examples/shell/train.sh rich.sh
# the poor one: no change has any effect
sed 's/^    auc = .73 .*/    auc = .7312/; s/^    auc += .*//' rich.sh >poor.sh
for m in rich poor; do
    w=1; [ $m = rich ] || w=0.1
    sed -e "s/name = \"shell\"/name = \"$m\"/" -e "s/train.sh/$m.sh/" \
        -e "s/^total = .*/total = 100\npool = \"team\"\npool_weight = $w/" \
        "$top"/examples/shell/rea.toml >models/$m.toml
done
want 2 "$rea" plan rich; says 'no pool "team"'
want 0 "$rea" pool team --total 52 --floor 12 --unit trials
says 'wait for rea approve'
pool() { "$rea" --json pool team; }
want 0 "$rea" --json plan rich; rich=$(jq -r .hash out)
want 3 "$rea" approve "$rich"; says 'pool team is not signed'
want 0 "$rea" approve "$(pool | jq -r .pending_hash)"
[ "$(pool | jq -r '.approved, .granted')" = "52
0" ] || fail "$(pool)"
want 0 "$rea" approve "$rich"
want 0 "$rea" --json plan poor
want 0 "$rea" approve "$(jq -r .hash out)"
[ "$(pool | jq -c '[.campaigns[].granted]')" = '[12,12]' ] || fail "$(pool)"
want 0 "$rea" run C1
want 0 "$rea" run C2
want 0 "$rea" run --wait
until_state done C1
until_state done C2
pool >pool.json
jq -e '.granted <= .approved and .granted == .spent' pool.json >/dev/null ||
    fail "$(cat pool.json)"
jq -e '.campaigns[0].spent > .campaigns[1].spent' pool.json >/dev/null ||
    fail "the rich one did not get more: $(cat pool.json)"
want 0 "$rea" log C1 --all; says 'the pool grants'
"$rea" --json status | jq -e '.pools[0].name == "team"' >/dev/null ||
    fail "status without pools"
for c in C1 C2; do
    want 0 "$rea" replay $c
    spent=$("$rea" --json status $c | jq '.campaigns[0].budget |
        .spent + .reserved <= .approved')
    [ "$spent" = true ] || fail "$c: $("$rea" --json status $c)"
done
# terms below what is granted are refused, new ones wait for a signature
want 2 "$rea" pool team --total 5
want 0 "$rea" pool team --total 200; says 'wait for rea approve'
exit 0
