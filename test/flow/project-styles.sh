#!/bin/sh
# Each style against a stranger's script that knows nothing of rea: what the
# script has understood must be what was meant. Usage: project-styles.sh
check=${1:-${BUILD:-build}/test/project_check}
case $check in /*) ;; *) check=$PWD/$check ;; esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export RUN_DIR="$dir/run"
n=0 bad=0

project() { # style, command, extra lines of [train]
	cat <<END
schema = 1
[project]
name = "s"
[train]
command = '''$2'''
style = "$1"
$3
[metric.auc]
primary = true
goal = "max"
min_gain = 1e-3
[budget]
unit = "trials"
total = 50
[knob.lr]
type = "float"
range = [1e-5, 1.0]
scale = "log"
default = 1e-2
[knob.emb-dim]
type = "int"
range = [4, 64]
default = 8
[knob.shift]
type = "float"
range = [-1.0, 1.0]
default = 0.0
[knob.residual]
type = "bool"
default = false
[knob.model]
type = "choice"
values = ["fm", "deep fm", "dcnv2"]
default = "fm"
[knob.cross]
type = "int"
range = [1, 4]
default = 2
when = 'model == "dcnv2"'
[knob.fields]
type = "set"
values = ["user", "item", "hour"]
default = ["user", "item"]
[knob.hidden]
type = "list"
values = [[64], [128, 64]]
default = [128, 64]
$4
END
}

# same NAME WANTED ARGS...: what the script prints must be WANTED
same() {
	n=$((n + 1)) name=$1 wanted=$2
	shift 2
	"$check" --run p.toml "$@" >out 2>err
	if [ "$(cat out)" != "$wanted" ]; then
		bad=$((bad + 1))
		printf 'FAILED %s\n  wanted %s\n  got    %s\n' "$name" "$wanted" "$(cat out err)"
	fi
}

# ---- argparse: switches and lists of words ----
cat >argp.py <<'END'
import argparse
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float)
p.add_argument("--emb-dim", type=int)
p.add_argument("--shift", type=float)
p.add_argument("--residual", action="store_true")
p.add_argument("--model", choices=["fm", "deep fm", "dcnv2"])
p.add_argument("--cross", type=int)
p.add_argument("--fields", nargs="*")
p.add_argument("--hidden", nargs="+", type=int)
p.add_argument("--seed", type=int)
a = p.parse_args()
print(a.lr, a.emb_dim, a.shift, a.residual, a.model, a.cross, a.fields, a.hidden, a.seed)
END
project argparse "python3 argp.py {knobs}" 'seed = "seed"' >p.toml
same 'argparse defaults' "0.01 8 0.0 False fm None ['user', 'item'] [128, 64] 7" 7
same 'argparse changed' "1e-05 64 -0.5 True dcnv2 3 ['hour'] [64] 2147483647" 2147483647 lr=1e-5 emb-dim=64 shift=-0.5 residual=1 model=2 cross=3 fields=4 hidden=0
same 'argparse blanks, empty set' "0.01 8 0.0 False deep fm None [] [128, 64] 1" 1 model=1 fields=0
same 'argparse full precision' "0.012345678901234567 8 0.0 False fm None ['user', 'item'] [128, 64] 1" 1 lr=0.012345678901234567

# ---- gnu: --name=value by getopt_long's rules ----
cat >gnu.py <<'END'
import getopt, sys
o, rest = getopt.getopt(sys.argv[1:], "", [k + "=" for k in "lr emb-dim shift residual model cross fields hidden seed".split()])
print(sorted(o), rest)
END
project gnu "python3 gnu.py {knobs}" 'seed = "seed"' >p.toml
same 'gnu' "[('--emb-dim', '8'), ('--fields', 'user,item'), ('--hidden', '128,64'), ('--lr', '0.01'), ('--model', 'deep fm'), ('--residual', 'true'), ('--seed', '7'), ('--shift', '-1')] []" 7 residual=1 model=1 shift=-1
same 'gnu inactive passed when active' "[('--cross', '4'), ('--emb-dim', '8'), ('--fields', 'user,item'), ('--hidden', '128,64'), ('--lr', '0.01'), ('--model', 'dcnv2'), ('--residual', 'false'), ('--seed', '7'), ('--shift', '0')] []" 7 model=2 cross=4

# ---- one knob otherwise: switch and flag ----
project gnu "./words {knobs} --end={seed}" 'seed = "--random-seed"' '[knob.bn]
type = "bool"
default = true
style = "switch"
[knob.wd]
type = "float"
range = [0.0, 1.0]
default = 0.5
flag = "-w"' >p.toml
printf '#!/bin/sh\nprintf "<%%s>" "$@"\n' >words
chmod +x words
same 'switch and flag' '<--bn><--emb-dim=8><--fields=user,item><--hidden=128,64><--lr=0.01><--model=fm><--residual=false><--shift=0><-w=0.5><--random-seed=9><--end=9>' 9
same 'switch off' '<--emb-dim=8><--fields=user,item><--hidden=128,64><--lr=0.01><--model=fm><--residual=false><--shift=0><-w=0.5><--random-seed=9><--end=9>' 9 bn=0

# ---- hydra: name=value overrides ----
cat >hydra.py <<'END'
import ast, re, sys
def value(s):
    if s.startswith("["):
        return [value(x) for x in s[1:-1].split(",") if x]
    if s.startswith("'"):
        assert s.endswith("'")
        return s[1:-1]
    assert re.fullmatch(r"[\w.+:/-]+", s), s
    if s in ("true", "false"):
        return s == "true"
    try:
        return ast.literal_eval(s)
    except (ValueError, SyntaxError):
        return s
print(sorted((k, value(v)) for k, v in (a.split("=", 1) for a in sys.argv[1:])))
END
project hydra "python3 hydra.py {knobs}" 'seed = "seed"' '[knob."optim.beta"]
type = "float"
range = [0.0, 1.0]
default = 0.9' >p.toml
same 'hydra' "[('emb-dim', 8), ('fields', ['user', 'hour']), ('hidden', [128, 64]), ('lr', 0.01), ('model', 'deep fm'), ('optim.beta', 0.9), ('residual', True), ('seed', 7), ('shift', 0)]" 7 model=1 residual=1 fields=5

# ---- env: a shell script ----
cat >train.sh <<'END'
echo "$LR $EMB_DIM $SHIFT $RESIDUAL $MODEL ${CROSS-unset} $FIELDS $HIDDEN $SEED $REA_SEED $# $REA_CAMPAIGN $REA_TRIAL $REA_ATTEMPT $REA_PHASE $REA_HYPOTHESES"
END
project env "sh train.sh" 'seed = "seed"' >p.toml
same 'env' "0.01 8 0 1 deep fm unset user,item 128,64 7 7 0 C1 T1 1 validation H1,H2" 7 residual=1 model=1
project env "sh train.sh {knobs}" 'seed = "seed"' >p.toml
same 'env with {knobs}' "0.01 8 0 0 dcnv2 2 user,item 128,64 7 7 0 C1 T1 1 validation H1,H2" 7 model=2

# ---- json: a file ----
cat >js.py <<'END'
import json, os, sys
k = json.load(open(sys.argv[1]))
assert os.path.samefile(sys.argv[1], os.environ["REA_KNOBS_FILE"])
print(sorted(k.items()))
END
project json "python3 js.py {knobs}" 'seed = "seed"' '[knob.width]
type = "choice"
values = [16, 32.5, true, "x"]
default = 16' >p.toml
same 'json' "[('emb-dim', 8), ('fields', ['user', 'item']), ('hidden', [128, 64]), ('lr', 0.01), ('model', 'fm'), ('residual', True), ('seed', 7), ('shift', 0), ('width', 16)]" 7 residual=1
same 'json kinds' "[('emb-dim', 8), ('fields', []), ('hidden', [64]), ('lr', 1e-05), ('model', 'fm'), ('residual', False), ('seed', 7), ('shift', 0), ('width', True)]" 7 width=2 fields=0 hidden=0 lr=1e-5

# ---- placeholders, resume, evaluation, shell ----
project gnu "./words {knob.lr} x{knob.cross}x {knobs} {{b}} 'a b' {d}/f {resume}" 'resume = "--resume={checkpoint} --go"
checkpoint = "{run_dir}/last ckpt"
vars = { d = "my data" }
[evaluate]
command = "./words eval {checkpoint} {predictions_file}"' >p.toml
same 'placeholders' '<0.01><--emb-dim=8><--fields=user,item><--hidden=128,64><--model=fm><--residual=false><--shift=0><{b}><a b><my data/f>' 3
RESUME=1 same 'resume' "<0.01><x4x><--emb-dim=8><--fields=user,item><--hidden=128,64><--model=dcnv2><--residual=false><--shift=0><{b}><a b><my data/f><--resume=$RUN_DIR/last ckpt><--go>" 3 model=2 cross=4
EVALUATE=1 same 'evaluate' "<eval><$RUN_DIR/last ckpt><$RUN_DIR/predictions.txt>" 3
project gnu './words {knob.lr} "${HOME}" {knobs} | tr a-z A-Z; echo {seed}' 'shell = true' >p.toml
HOME=/H same 'shell quotes' "<0.01></H><--EMB-DIM=8><--FIELDS=USER,ITEM><--HIDDEN=128,64><--MODEL=DEEP FM><--RESIDUAL=FALSE><--SHIFT=0>5" 5 model=1

# ---- the contract's toy, where it is ----
if [ -n "${REA_CONTRACT:-}" ] && [ -d "$REA_CONTRACT/toy" ]; then
	cp "$REA_CONTRACT"/toy/* .
	cp rea.toml p.toml
	"$check" --run p.toml 7 residual=1 >toy.log 2>&1
	n=$((n + 1))
	"$check" --harvest p.toml none toy.log >out
	if [ "$(grep -c ' = ' out)" != 3 ] || ! grep -q 'val_auc = .* step 5 n 5' out; then
		bad=$((bad + 1)); echo "FAILED toy:"; cat toy.log out
	fi
fi
echo "project-styles: $n checks, $bad failed"
[ $bad -eq 0 ] && [ $n -ge 15 ]
