#!/bin/sh
# Hours of a campaign under random kills: test/full/two-days.sh, short.
exec sh "$(dirname "$0")/../full/two-days.sh" 4
