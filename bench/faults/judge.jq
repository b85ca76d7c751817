# The log of a campaign, what was done for each trial and what it wasted:
# [{trial, remedies, wasted}], in the budget's unit. An attempt that broke is no
# waste where the next one goes on from its checkpoint, unless a later one
# begins anew or the trial is given up.
def cost: capture("cost (?<c>[0-9.e+-]+)").c | tonumber;
reduce (.lines[] | select(.event == "job_ended" or
        .event == "failure_classified" or .event == "job_intended")) as $l ({};
    ($l.text | capture("(?<t>\\bT[0-9]+)\\b").t) as $t
    | if $l.event == "job_ended" then
        if ($l.text | test("ended: ok")) then .
        else ($l.text | cost) as $c
            | .[$t].all += $c | .[$t].lost += $c | .[$t].last = $c
        end
      elif $l.event == "failure_classified" then
        ($l.text | capture(
            "-> (?<r>retry|shrink|stabilise|resume|give up|halt)").r) as $r
        | .[$t].remedies += [$r]
        | if $r == "give up" or $r == "halt" then .[$t].lost = .[$t].all
          else . end
      elif ($l.text | test("from its checkpoint")) then
        .[$t].lost -= .[$t].last
      else .[$t].lost = .[$t].all end)
| to_entries | map({trial: .key, remedies: (.value.remedies // [] | join(" ")),
    wasted: (.value.lost // 0)})
