# For the patch-*.sh and hostile-*.sh tests: a workspace in a git repository
# with a trainer whose code, model.awk, a patch can really improve.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"
command -v bwrap >/dev/null || skip "bubblewrap is not installed"
bwrap --unshare-user --unshare-net --unshare-pid --ro-bind / / true ||
    skip "no user namespaces here"
command -v git >/dev/null || skip "git is not installed"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t
export GIT_COMMITTER_EMAIL=t@t

# patch_workspace DIR: makes it and enters it
patch_workspace() {
    mkdir -p "$1/src" "$1/data" && cd "$1" || exit 1
    cat >src/model.awk <<'AWK'
# the model: how good it is depends on its capacity and on the rate
function quality(lr, capacity) {
    gain = 0.01 * capacity
    return 0.70 + gain - 0.01 * (log(lr / 0.02) ^ 2)
}
AWK
    cat >src/loss.awk <<'AWK'
function weight(x) {
    return x
}
AWK
    cat >train.sh <<'SH'
#!/bin/sh
# train.sh METRICS SEED LR: one line of metrics
set -eu
noise=$(cat data/noise)
awk -v lr="$3" -v seed="$2" -v noise="$noise" -f src/model.awk \
    -f src/loss.awk -f main.awk >>"$1"
SH
    cat >main.awk <<'AWK'
BEGIN {
    srand(seed)
    rand()
    e = noise * (rand() + rand() + rand() - 1.5)
    printf "{\"step\": 1, \"auc\": %.9f, \"test\": %.9f}\n", \
        quality(lr, weight(1)) + e, quality(lr, weight(1)) + e / 2
}
AWK
    echo 0.001 >data/noise
    printf '.rea/\ndata/\nbuilt\n' >.gitignore
    cat >rea.toml <<'TOML'
schema = 1
[project]
name = "awk"
[train]
command = "sh train.sh {metrics_file} {seed} {knob.lr}"
seed = "seed"
fingerprint = ["data"]
grace = "2s"
[resources]
time = "60s"
[metric.auc]
primary = true
goal = "max"
min_gain = 2e-3
[metric.test]
role = "sealed"
goal = "max"
[knob.lr]
type = "float"
range = [0.005, 0.1]
scale = "log"
default = 0.02
[plan]
max_hypotheses = 2
[baseline]
seeds = 4
[budget]
unit = "trials"
total = 40
max_parallel = 2
[patch]
paths = ["src/*.awk", "train.sh"]
smoke = "sh train.sh {metrics_file} {seed} {knob.lr}"
[patch.classes]
model = ["src/model*"]
loss = ["src/loss*"]
TOML
    git init -q . && git add -A && git commit -qm base || fail "git"
}

# make_patch FILE SED-SCRIPT DIFF: a diff of that edit; the tree stays clean
make_patch() {
    sed -i "$2" "$1"
    git diff -- "$1" >"$3"
    git checkout -q -- "$1"
    [ -s "$3" ] || fail "the edit of $1 changed nothing"
}
