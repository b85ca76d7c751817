#!/bin/sh
# The build folder named by its whole path is the one named from the root: else
# the objects made under one name have headers that the other does not see.
set -eu
unset MAKEFLAGS MFLAGS
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
for named in build "$top/build" ./build; do
    BUILD=$named make -pn deps-check 2>/dev/null | grep -qx 'BUILD := build' || {
        echo "BUILD=$named is not build"
        exit 1
    }
done
BUILD=/tmp/elsewhere make -pn deps-check 2>/dev/null |
    grep -qx 'BUILD := /tmp/elsewhere'
