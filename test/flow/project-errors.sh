#!/bin/sh
# Malformed project files of many kinds: each is refused with its place, a
# reason and (where one exists) a remedy, and with exit code 2.
# Usage: project-errors.sh [PROGRAM]
check=${1:-${BUILD:-build}/test/project_check}
case $check in /*) ;; *) check=$PWD/$check ;; esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
n=0 bad=0

cat >good.toml <<'END'
schema = 1
[project]
name = "m"
[train]
command = "./train --out={run_dir} {knobs}"
seed = "seed"
[metric.auc]
primary = true
goal = "max"
min_gain = 1e-3
key = "valid.auc"
[metric.test]
role = "sealed"
goal = "max"
from = "stdout"
pattern = "test {value}"
[guardrail.loss]
goal = "min"
max_increase = "1%"
[knob.lr]
type = "float"
range = [1e-4, 1e-1]
scale = "log"
default = 1e-2
[knob.model]
type = "choice"
values = ["fm", "dcnv2"]
default = "fm"
[knob.layers]
type = "int"
range = [1, 4]
default = 2
when = 'model == "dcnv2"'
[budget]
unit = "trials"
total = 50
END
"$check" good.toml >out 2>&1 || { echo "the good file is refused:"; cat out; exit 1; }

# refuse NAME PLACE WORDS [SED]: the good file edited by SED (without: the
# bad.toml that is there) must be refused at PLACE ("line:col" or "-") by a
# message with all WORDS (| between them).
refuse() {
	n=$((n + 1))
	[ $# -lt 4 ] || sed "$4" good.toml >bad.toml
	"$check" bad.toml >out 2>&1
	rc=$?
	ok=1
	[ $rc -eq 2 ] || ok=0
	[ "$2" = - ] || grep -q "^bad.toml:$2: " out || ok=0
	[ "$2" = - ] || grep -q '^      | *[[:space:]]*^' out || ok=0
	echo "$3" | tr '|' '\n' >words
	while read -r w; do
		grep -qF -- "$w" out || ok=0
	done <words
	if [ $ok = 0 ]; then
		bad=$((bad + 1))
		echo "FAILED $1 (exit $rc, wanted $2 and $3):"
		cat out
	fi
}
refuse 'open string' 3:8 'no closing' 's/^name = "m"/name = "m/'
refuse 'no number' 36:9 'no number' 's/^total = 50/total = 5x0/'
refuse 'open header' 34:8 '] is expected' 's/^\[budget\]/[budget/'
printf 'schema = 1\nname = "\377"\n' >bad.toml
refuse 'bad UTF-8' 2:9 'UTF-8'
refuse 'key twice' 36:1 'twice' 's/^unit = .*/unit = "trials"\nunit = "usd"/'
refuse 'table twice' 34:7 'twice' 's/^\[budget\]/[knob.lr]/'
refuse 'two on a line' 3:12 'line should end' 's/^name = "m"/name = "m" x = 1/'
refuse 'no schema' 1:1 'schema = 1' 's/^schema = 1//'
refuse 'newer schema' 1:10 'newer' 's/^schema = 1/schema = 9/'
refuse 'unknown section' 34:2 'did you mean "budget"?' 's/^\[budget\]/[bugdet]/'
refuse 'unknown key' 5:1 'comand|did you mean "command"?' 's/^command/comand/'
refuse 'unknown knob key' 23:1 'did you mean "scale"?' 's/^scale = .*/scael = "log"/'
refuse 'unknown word' 23:9 'did you mean "log"?' 's/^scale = .*/scale = "lgo"/'
refuse 'default outside' 24:11 'outside the range' 's/^default = 1e-2/default = 5.0/'
refuse 'default unknown' 28:11 'did you mean "fm"?' 's/^default = "fm"/default = "mf"/'
refuse 'range reversed' 22:9 'reversed|range = [0.0001, 0.1]' 's/^range = \[1e-4, 1e-1\]/range = [1e-1, 1e-4]/'
refuse 'log over zero' 22:9 'log scale' 's/^range = \[1e-4, 1e-1\]/range = [0.0, 1e-1]/'
refuse 'int range' 31:9 'whole' 's/^range = \[1, 4\]/range = [1, 4.5]/'
refuse 'no primary' 7:9 'no metric is primary' 's/^primary = true//'
refuse 'two primaries' 13:11 'two metrics are primary' 's/^role = "sealed"/primary = true\nmin_gain = 1.0/'
refuse 'no {value}' 16:11 '{value}' 's/^pattern = .*/pattern = "test"/'
refuse 'bad expression' 16:11 'expression' 's/^pattern = .*/pattern = "re:(ab"/'
refuse 'not yet' 15:8 'not yet supported' 's/^from = "stdout"/from = "mlflow"/'
refuse 'budget of 0' 36:9 'buys nothing' 's/^total = 50/total = 0/'
refuse 'budget negative' 36:9 'buys nothing' 's/^total = 50/total = -2/'
refuse 'budget below one job' 36:9 'one job reserves' 's/^total = 50/total = 0.5/'
refuse 'min_gain' 10:12 'above 0' 's/^min_gain = .*/min_gain = 0.0/'
refuse 'max_parallel' 37:16 'at least one job' 's/^total = 50/total = 50\nmax_parallel = 0/'
refuse 'seeds' 38:9 '2 to 100' 's/^total = 50/total = 50\n[baseline]\nseeds = 1/'
refuse 'when: unknown knob' 33:9 'did you mean "model"?' "s/model == /modle == /"
refuse 'when: unknown value' 33:18 'did you mean "dcnv2"?' "s/== \"dcnv2\"/== \"dcnv3\"/"
refuse 'when: bad operator' 33:15 '==' "s/== \"dcnv2\"/= \"dcnv2\"/"
refuse 'when: cycle' - 'depends on itself' "s/^default = \"fm\"/default = \"fm\"\nwhen = 'layers == 2'/"
refuse 'placeholder' 5:26 'did you mean "run_dir"?' 's/{run_dir}/{rundir}/'
refuse 'open placeholder' 5:26 'close it' 's/{run_dir}/{run_dir/'
refuse 'knobs not passed' 5:11 'never reaches' 's/ {knobs}//'
refuse 'open quote' 5:11 'left open' "s|^command = .*|command = './t \"{knobs}'|"
refuse 'seed is no knob' 20:7 'no knob' 's/^seed = "seed"/seed = "lr"/'
refuse 'plain secret' 38:11 'secret' 's/^total = 50/total = 50\n[notify]\nwebhook = "https:\/\/x"/'
refuse 'slurm' 38:13 'only backend slurm' 's|^total = 50|total = 50\n[backend]\npartition = "gpu"|'
refuse 'duration' 6:9 'no duration' 's/^seed = "seed"/grace = "5 parsecs"/'
refuse 'limit' 19:16 'percentage' 's/^max_increase = .*/max_increase = "1"/'
refuse 'no limit' 17:12 'no limit' 's/^max_increase = .*//'
refuse 'rungs' 39:16 'rise' 's/^total = 50/total = 50\n[fidelity]\nknob = "lr"\nrungs = [1e-3, 1e-3]/'
refuse 'phases' 38:11 'did you mean "validation"?' 's/^total = 50/total = 50\n[plan]\nphases = ["validate"]/'
phase() { # NAME PLACE WORDS LINES: after the budget
	refuse "$1" "$2" "$3" "s/^total = 50/total = 50\n$4/"
}
phase 'phase: unknown' 38:1 'did you mean "exploitation"?' '[resources]\nexploitaton = { gpus = 1 }'
phase 'phase: key' 38:1 'unknown key "gpu" in [resources.*]|did you mean "gpus"?' '[resources.validation]\ngpu = 1'
phase 'phase: kind' 38:1 'a table of resources' '[resources]\nvalidation = 2'
phase 'phase: bound' 38:8 'more than 0' '[resources.combination]\ncpus = 0'
phase 'phase: time' 38:8 'no duration' '[resources.combination]\ntime = "4 parsecs"'
phase 'phase: memory' 38:14 'give memory' '[resources.confirmation]\nmemory_max = "2G"'
phase 'phase: price' 38:18 'only unit usd' '[resources.confirmation]\nprice_per_hour = 2'
phase 'phase: gres' 38:8 'leave [backend] gres out' '[resources.exploitation]\ngpus = 2\n[backend]\nkind = "slurm"\ngres = "gpu:1"'
refuse 'phase: no gpu' 40:8 'no GPU hours' 's/^unit = .*/unit = "gpu_hours"/; s/^total = 50/total = 50\n[resources]\ngpus = 1\n[resources.validation]\ngpus = 0/'
refuse 'phase: dear' 37:12 'more than the whole budget' 's/^unit = .*/unit = "core_hours"/; s/^total = 50/total = 50\n[resources.validation]\ntime = "90h"/'
refuse 'no metric' - '[metric.NAME]' '/^\[metric/,/^pattern/d'

# candidates.csv: errors carry its own file and line
csv() {
	n=$((n + 1))
	printf "$2" >c.csv
	{ cat good.toml; printf '[space]\ncandidates = "c.csv"\n'; } >bad.toml
	"$check" bad.toml >out 2>&1
	if [ $? -ne 2 ] || ! grep -qF -- "$3" out; then
		bad=$((bad + 1)); echo "FAILED $1 (wanted $3):"; cat out
	fi
}
csv 'csv: unknown column' 'lr,modle\n0.01,fm\n' 'c.csv:1: unknown column "modle"'
csv 'csv: column twice' 'lr,lr\n0.01,0.01\n' 'c.csv:1: column given twice "lr"'
csv 'csv: bad value' 'lr,model\n0.01,fm\n7,fm\n' 'c.csv:3: bad value "7"'
csv 'csv: cells' 'lr,model\n0.01\n' 'c.csv:2: another number of cells'
csv 'csv: no default' 'lr,model\n0.02,fm\n' 'default configuration'
csv 'csv: empty' '' 'no header'
rm c.csv
{ cat good.toml; printf '[space]\ncandidates = "none.csv"\n'; } >bad.toml
refuse 'csv: missing' 38:14 'none.csv'

# comments, spacing and the order of tables and keys do not count
{ echo '# a note'; cat good.toml | sed 's/ = /   =  /'; } >other.toml
[ "$("$check" good.toml)" = "$("$check" other.toml)" ] || { bad=$((bad + 1)); echo "comments change the hash"; }
awk 'BEGIN { RS = "\n\\["; ORS = "" } NR == 1 { print; next } { t[NR] = "\n[" $0 } END { for (i = NR; i > 1; i--) print t[i]; print "\n" }' good.toml >turned.toml
[ "$("$check" good.toml)" = "$("$check" turned.toml)" ] || { bad=$((bad + 1)); echo "the order of tables changes the hash"; }
for edit in 's/train --out/train2 --out/' 's/^default = 1e-2/default = 2e-2/' 's/1%/2%/' 's/^total = 50/total = 51/' 's/1e-3/2e-3/' 's/fm", "dcnv2/fm", "dcnv3", "dcnv2/'; do
	n=$((n + 1))
	sed "$edit" good.toml >other.toml
	[ "$("$check" good.toml)" != "$("$check" other.toml)" ] || { bad=$((bad + 1)); echo "$edit leaves the hash"; }
done
echo "project-errors: $n checks, $bad failed"
[ $bad -eq 0 ] && [ $n -ge 55 ]
