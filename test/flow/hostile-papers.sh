# Hostile papers are reported or stored harmlessly: nothing is executed, nothing
# is written outside .rea, time and memory are bounded, what reads as orders is
# flagged, and the good record among bad ones is kept.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"

cp -r "$top/test/hostile/papers" papers || fail "no fixtures"
[ "$(find papers -type f | wc -l)" -ge 30 ] || fail "too few fixtures"
printf 'secret of the engineer\n' >secret.md
ln -s "$dir/secret.md" papers/link.md
mkfifo papers/pipe.txt
before=$(find . -path ./.rea -prune -o -print | sort)
begin=$(date +%s)
(
    ulimit -v 2000000
    timeout 300 "$rea" --json research add papers papers/-rf.txt \
        >add.json 2>add.err
) || fail "add failed: $(cat add.err)"
took=$(($(date +%s) - begin))
[ $took -le 200 ] || fail "took $took s"
rm -f out err
after=$(find . -path ./.rea -prune -o -print | grep -v '^./add\.' | sort)
[ "$before" = "$after" ] || fail "files appeared outside .rea: $after"
find / -xdev -name 'PWNED*' -newer secret.md 2>/dev/null | grep . &&
    fail "something was executed"

[ "$(jq .bad add.json)" -ge 20 ] || fail "bad: $(cat add.json)"
[ "$(jq .papers add.json)" -ge 18 ] || fail "papers: $(cat add.json)"
[ "$(jq .flagged add.json)" -ge 3 ] || fail "flagged: $(cat add.json)"
jq -r .guard add.json | grep -q 'limits' || fail "guard: $(jq .guard add.json)"
why() { # FILE PATTERN: was this file refused with such a reason?
    jq -r '.problems[] | .where + " " + .why' add.json |
        grep -qE "papers/$1(:[0-9]+)? .*($2)" ||
        fail "$1 is not refused for $2: $(jq -c .problems add.json)"
}
why bomb.jsonl.gz 'expands|more than 16 MB'
why bomb.txt.gz 'expands|more than 64 MB'
why cut.jsonl.gz 'damaged'
why xxe.xml 'document type'
why laughs.atom 'document type|not well-formed'
why deep.json 'nesting|depth'
why binary.txt 'not UTF-8'
why utf8.jsonl 'decode byte|Unicode'
why numbers.jsonl 'out of range|overflow|too big|real number'
why ids.jsonl '400 bytes'
why link.md 'link'
why endless.bib 'does not end'
why empty.md 'neither a title nor a text'

db=.rea/papers.db
ask() { "$rea" --json research search "$@" | jq -r '.passages[].title'; }
ask good line among bad ones | grep -qx Good || fail "a good line was lost"
ask one good row kept | grep -q 'One good row' || fail "a good row was lost"
ask secret of the engineer | grep -q 'secret' && fail "a link was followed"
grep -q 'root:' "$db" && fail "/etc/passwd is in the corpus"
"$rea" research search escapes in a title >seen || fail "search"
LC_ALL=C grep -q "$(printf '\033')" seen && fail "an escape reached the terminal"
"$rea" research search path in an id | grep -q 'etc/cron' ||
    fail "an id that is a path is not kept as text"

# Orders are flagged, and rank below the same matter without them.
printf '%s\n' '{"id":"clean","title":"A cross network that obeys","abstract":"A cross network for ranking."}' >clean.jsonl
want 0 "$rea" research add clean.jsonl
"$rea" --json research ask a cross network that obeys >asked.json || fail "ask"
jq -e '[.questions[0].answers[] | select(.title | test("obeys"))] |
    (.[0].paper == "clean") and (.[1].suspect >= 0.5)' asked.json >/dev/null ||
    fail "orders: $(jq -c '.questions[0].answers[] | [.paper, .suspect]' \
        asked.json)"

# A second time nothing is new.
want 0 "$rea" --json research add papers
[ "$(jq .papers out)" = 0 ] || fail "added twice: $(cat out)"
[ "$(jq .replaced out)" = 0 ] || fail "replaced: $(cat out)"

# A reader that crashes or lies costs one file only.
mkdir two && printf 'One paper\n\ntext one\n' >two/a.txt &&
    printf 'Two papers\n\ntext two\n' >two/b.txt
cat >reader <<'END'
#!/bin/sh
printf '{"begin": true}\n'
kill -SEGV $$
END
chmod +x reader
want 0 env "REA_READ=$dir/reader" "$rea" --json research add two
[ "$(jq .bad out)" = 2 ] || fail "a crash: $(cat out)"
printf '#!/bin/sh\necho no protocol\n' >reader
want 0 env "REA_READ=$dir/reader" "$rea" --json research add two
[ "$(jq .bad out)" = 2 ] || fail "a lie: $(cat out)"
want 2 env "REA_READ=$dir/none" "$rea" research add two
says 'rea-read'
want 0 "$rea" --json research add two
[ "$(jq .papers out)" = 2 ] || fail "good files: $(cat out)"
echo "$test_name: ok"
