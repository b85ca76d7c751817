#!/bin/sh
# Every example passes its own preflight where its tools exist; those that
# need nothing are driven to a report.
. "$(dirname "$0")/lib.sh"
PATH="$build:$PATH"
cp -R "$top/examples" . && cd examples || exit 1
done_here=
for e in shell hydra; do
    want 0 "$rea" -C $e check; short
    done_here="$done_here $e"
done
cd hydra || exit 1
sign
want 0 "$rea" run --wait
"$rea" --json report | jq -e '.proposal.sealed.lo > 0' >/dev/null ||
    fail "hydra: no proposal: $("$rea" status C1)"
cd ..
if (cd / && python3 -c 'import torch') 2>/dev/null; then
    want 0 "$rea" -C pytorch check; done_here="$done_here pytorch"
fi
if (cd / && python3 -c 'import xgboost') 2>/dev/null; then
    want 0 "$rea" -C xgboost check; done_here="$done_here xgboost"
fi
data=${REA_DATA:-$top/../shared/data}
if [ -d "$data/kdd12-small" ]; then
    ln -s "$data" ctr/data
    for m in kdd12 ml-100k a9a; do
        want 0 "$rea" -C ctr check $m; done_here="$done_here $m"
    done
fi
# Without their tools and data at least the files must be projects.
for f in pytorch xgboost; do
    want 0 "$rea" -C $f plan; says 'next: rea approve'
done
for m in kdd12 ml-100k criteo a9a; do
    want 0 "$rea" -C ctr plan $m
done
echo "checked:$done_here"
exit 0
