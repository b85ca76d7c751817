#!/bin/sh
# Rules of the tree as a test: layers, purity of the engine's objects, lengths,
# banned words, READMEs that name every file. Prints each breach; exits 1 if
# there is any. A check on an empty input is a breach, too.
set -u
build=${1:-build}
bad=0
say() {
    echo "tidy: $*"
    bad=1
}

# Layers: a folder includes only itself and what stands before it.
layers="base math core project store jobs papers research model agent patch wake
 serve report cmd"
allowed() { # of folder $1
    case "$1" in
    base) echo base ;;
    math) echo base math ;;
    core) echo base math core ;;
    project) echo base math core project ;;
    store) echo base math core project store ;;
    jobs) echo base math core project store jobs ;;
    papers) echo base math core project store papers ;;
    research) echo base math core project store papers research ;;
    model) echo base math core project store model ;;
    agent) echo base math core project store papers research model agent ;;
    patch) echo base math core project store patch ;;
    wake) echo base math core project store jobs papers research patch wake ;;
    serve) echo base math core project store wake serve ;;
    report) echo base math core project store jobs papers research patch \
        wake report ;;
    cmd) echo base math core project store jobs papers research patch wake \
        report cmd ;;
    esac
}
seen=0
for dir in $layers; do
    [ -d "src/$dir" ] || continue
    ok=" $(allowed "$dir") "
    for f in $(find "src/$dir" -name '*.[ch]'); do
        seen=$((seen + 1))
        for inc in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$f"); do
            case "$inc" in
            *..*) say "$f includes $inc: '..' is forbidden" ;;
            esac
            case "$ok" in
            *" ${inc%%/*} "*) ;;
            *) say "$f includes $inc: not below $dir" ;;
            esac
        done
    done
done
[ "$seen" -gt 50 ] || say "layers: only $seen files seen"
for f in trainer/*.[ch]; do
    sed -n 's/^#include "\([^"]*\)".*/\1/p' "$f" |
        grep -vE '^(base|math|trainer)/|^[a-z_0-9]+\.h$' |
        while read -r inc; do echo "tidy: $f includes $inc"; done
done | grep . && bad=1

# Purity: undefined symbols of math and core stay inside a short list.
pure='mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr|rchr|str|tod|toul)'
pure="$pure"'|v?snprintf|__v?snprintf_chk|__mem[a-z]+_chk|__str[a-z]+_chk'
pure="$pure"'|__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|abort'
libm='(exp|expm1|exp2|log|log1p|log2|log10|pow|sqrt|cbrt|fabs|floor|ceil|round'
libm="$libm"'|lround|fmod|ldexp|frexp|scalbn|erf|erfc|lgamma_r|tgamma|sin|cos'
libm="$libm"'|tan|atan|atan2|fmin|fmax|hypot|nan|isnan|trunc|rint|nearbyint)f?'
objects=$(find "$build/obj/src/math" "$build/obj/src/core" -name '*.o' \
    2>/dev/null)
[ -n "$objects" ] || say "purity: no objects in $build"
defined=$(nm --defined-only $objects "$build"/obj/src/base/*.o 2>/dev/null |
    awk 'NF==3 {print $3}' | sort -u)
for sym in $(nm -u $objects 2>/dev/null | awk '$1=="U" {print $2}' |
    sort -u); do
    echo "$sym" | grep -qE "^($pure|$libm)$" && continue
    echo "$defined" | grep -qx "$sym" && continue
    say "purity: math or core calls $sym"
done
# What they take from base must be pure as well: only these.
for sym in $(nm -u $objects 2>/dev/null | awk '$1=="U" {print $2}' |
    sort -u); do
    nm --defined-only "$build"/obj/src/base/*.o 2>/dev/null |
        grep -q " [TR] $sym$" || continue
    case "$sym" in
    rng_* | visit_* | err_set | err_wrap) ;;
    *) say "purity: math or core uses $sym of base" ;;
    esac
done
writable=$(objdump -t $objects 2>/dev/null |
    awk '$0 ~ / O / && ($4 == ".data" || $4 == ".bss" || $4 == "*COM*") {
        print $6 }')
[ -z "$writable" ] || say "purity: writable statics:" $writable

# One thread: there is no lock of ours to miss, and nothing for TSan to see.
ours=$(find "$build/obj/src" "$build/obj/trainer" "$build/static" -name '*.o' \
    2>/dev/null)
[ -n "$ours" ] || say "threads: no objects in $build"
threads=$(nm -u $ours 2>/dev/null | awk '$1=="U" {print $2}' | sort -u |
    grep -xE 'pthread_create|thrd_create|clone|clone3')
[ -z "$threads" ] || say "threads: something calls" $threads

# Lengths and words.
files=$(git ls-files 'src/*.c' 'src/*.h' 'trainer/*.c' 'trainer/*.h' \
    'test/*.c' 'bench/*.c' 'tools/*.c')
[ -n "$files" ] || say "no files"
for f in $files; do
    [ -f "$f" ] || continue
    n=$(wc -l <"$f")
    [ "$n" -le 1000 ] || say "$f: $n lines"
    awk -v f="$f" 'length($0) > 100 {print "tidy: " f ":" NR ": long line"}' \
        "$f" | grep . && bad=1
    grep -nE '\b(strcpy|strcat|sprintf|strtok|atoi|gets|system)\(|\b(FIXME|TODO|XXX)\b' \
        "$f" | sed "s|^|tidy: $f:|" | grep . && bad=1
done
if command -v ctags >/dev/null; then
    long=$(ctags -x --fields=+ne --c-kinds=f --_xformat='%N %F %n %{end}' \
        $(git ls-files 'src/*.c' 'trainer/*.c') 2>/dev/null |
        awk 'NF==4 && $4-$3 > 70 {print $2 ":" $3 " " $1 " " $4-$3}')
    [ -z "$long" ] || say "functions over 70 lines: $long"
fi

# Every source folder has a README that names its files.
for dir in $(find src trainer -type d); do
    for f in "$dir"/*.c; do
        [ -f "$f" ] || continue
        [ -f "$dir/README" ] || { say "$dir has no README"; break; }
        grep -q "$(basename "$f" .c)" "$dir/README" ||
            say "$dir/README does not name $(basename "$f")"
    done
    [ ! -f "$dir/README" ] || [ "$(wc -l <"$dir/README")" -le 48 ] ||
        say "$dir/README is longer than 48 lines"
done
[ "$bad" = 0 ] && echo "tidy: ok"
exit "$bad"
