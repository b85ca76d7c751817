# The log of a campaign, what was done for each trial and what it wasted:
# [{trial, remedies, wasted}], hours. An attempt that broke is no waste where
# the next one goes on from its checkpoint.
def hours: capture("cost (?<c>[0-9.e+-]+)").c | tonumber;
reduce (.lines[] | select(.event == "job_ended" or
        .event == "failure_classified" or .event == "job_intended")) as $l ({};
    ($l.text | capture("(?<t>\\bT[0-9]+)\\b").t) as $t
    | if $l.event == "job_ended" then
        if ($l.text | test("ended: ok")) then .
        else .[$t].lost += ($l.text | hours) | .[$t].last = ($l.text | hours)
        end
      elif $l.event == "failure_classified" then
        .[$t].remedies += [$l.text |
            capture("-> (?<r>retry|shrink|stabilise|resume|give up|halt)").r]
      elif ($l.text | test("from its checkpoint")) then
        .[$t].lost -= .[$t].last
      else . end)
| to_entries | map({trial: .key, remedies: (.value.remedies // [] | join(" ")),
    wasted: (.value.lost // 0)})
