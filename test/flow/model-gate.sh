#!/bin/sh
# A change of [model] needs a new approval only where it raises the money:
# the model, its address and a lower budget are free; a higher one is not. The
# program that decides and wakes has no HTTP in it.
. "$(dirname "$0")/lib.sh"
if ldd "$rea" | grep -qE 'curl|ssl'; then fail "rea loads HTTP"; fi
shell_model ws && cd ws || exit 1
export SLEEP=0.1
cp rea.toml plain.toml
model() { # LINES: the project with this [model]
    { cat plain.toml; printf '[model]\nprovider = "openai"\nmodel = "m"\n'
        printf "$1"; } >rea.toml
}
money='price_in = 3\nprice_out = 15\n'
model "${money}budget_usd = 2\nbudget_tokens = 5000\n"
cp rea.toml good.toml
sign
refused() { # LINES: run halts at the gate
    model "$1"
    want 3 "$rea" run; says 'rea.toml'
    [ -z "$(ls .rea/runs 2>/dev/null)" ] || fail "a job ran with: $1"
    cp good.toml rea.toml
}
refused "${money}budget_usd = 3\nbudget_tokens = 5000\n"
refused "${money}budget_usd = 2\nbudget_tokens = 6000\n"
refused "budget_tokens = 5000\n" # no limit in money any more
sed 's/default = 8/default = 9/' good.toml >rea.toml
want 3 "$rea" run # all else is looked at as before
model "${money}budget_usd = 1\nbudget_tokens = 4000\nbase_url = \
\"http://127.0.0.1:8080/v1\"\nkey = \"env:K\"\nstream = false\n"
want 0 "$rea" run; short
[ -n "$(ls .rea/runs)" ] || fail "a lower budget does not run"
cp plain.toml rea.toml # no model at all costs nothing
want 0 "$rea" run --wait
[ "$(state)" = done ] || fail "$(state)"
says_not 'not the approved'
# A file that had none and gets one raises the money.
cp plain.toml rea.toml
sign
model ''
want 3 "$rea" run; says 'rea.toml'
# What can't be: each with its place and a remedy.
bad() { # LINES PATTERN
    model "$1"
    want 2 "$rea" plan; says "$2"; says 'rea.toml:[0-9]+:[0-9]+'; says 'fix: '
}
bad 'budget_usd = 1\n' 'without the model.s prices'
bad 'key = "sk-abc"\n' "secret can't stand"
bad 'base_url = "ftp://x"\n' 'no address'
bad 'base_url = "https://user:pw@host/v1"\n' "secret can't stand"
bad 'dialect = "messages"\n' 'does not speak'
bad 'max_tokens = 1\n' 'out of bounds'
bad 'budget_tokens = 0\n' 'out of bounds'
bad 'price_in = -1\n' 'price_in'
bad 'idle = "1ms"\n' 'idle'
bad 'allow = "x"\n' 'list of at most'
bad 'modell = "x"\n' 'did you mean "model"'
exit 0
