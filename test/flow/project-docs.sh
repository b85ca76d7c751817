#!/bin/sh
# docs/project-file.md holds the reference that the tables of fields give, and
# the example in it is a valid project.
check=${BUILD:-build}/test/project_check
case $check in /*) ;; *) check=$PWD/$check ;; esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$check" --docs >"$dir/want"
sed '1,/^<!-- generated: project_document/d' docs/project-file.md |
	sed 1d >"$dir/have"
[ -s "$dir/want" ] || { echo "no reference"; exit 1; }
diff "$dir/have" "$dir/want" || {
	echo "docs/project-file.md is stale: replace what follows its mark by"
	echo "the output of $check --docs"
	exit 1
}
sed -n '/^```toml/,/^```/p' docs/project-file.md | sed '/^```/d' >"$dir/p.toml"
"$check" "$dir/p.toml"
