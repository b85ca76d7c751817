/* The wake protocol: two wakers, JOBS jobs one after the other, crashes of
 * wakers and supervisors at any step, callbacks lost, once or twice.
 * The names are those of src/store/lease.c (take, mark, drop), src/wake
 * (round, submit, settle) and src/jobs (claim, exit file). A transaction is an
 * atomic step. CRASHES bounds how often anything dies; after that the sweep,
 * run again and again, must bring the campaign to its end.
 *
 * Variants, each of which must fail (test/spin/wake.sh):
 *   TWO_TXN        result and state in two transactions
 *   NO_CLAIM with NO_INHERIT: a supervisor starts without claiming its token,
 *                  and does not hold the lease of the waker that started it.
 *                  Either alone is enough, so each alone must hold.
 *   NO_RECONCILE   an intent left by a dead waker is not submitted again
 *   SWEEP_BLIND    the sweep does not look at exit files
 *   NO_LOOK        a holder does not look for marks after letting go
 *                  (with CALLS_ONLY, where no sweep would mend it)
 * CALLS_ONLY: no sweep, no loss, no crash: callbacks and marks suffice. */
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef JOBS
#define JOBS 1
#endif

mtype = {READY, INTENT, WAITING, APPLIED};

/* The database: every change is one transaction. */
mtype row[JOBS] = READY;
byte applied[JOBS]; /* how often a result took effect */

/* Files and processes. */
byte lease;         /* 0 free; 1, 2 a waker; 3 + j: the supervisor of j */
bool mark;
bool claim[JOBS], exit_file[JOBS], lost[JOBS]; /* lost: supervisor died */
byte starting[JOBS]; /* supervisors that have not claimed yet */
byte ran[JOBS];      /* how often the program of the job began */
byte calls;          /* callbacks that were made */
byte crashes = CRASHES;

#define may_crash (crashes > 0)

proctype Supervisor(byte j)
{
#ifdef NO_CLAIM
    claim[j] = true;
#else
    /* link(2): exactly one wins. */
    if
    :: atomic { !claim[j] -> claim[j] = true }
    :: atomic {
           claim[j] -> starting[j]--;
           if
           :: lease == 3 + j && starting[j] == 0 -> lease = 0
           :: else
           fi;
           goto over
       }
    fi;
#endif
    /* The descriptor that it inherited is closed. */
    atomic {
        starting[j]--;
        if
        :: lease == 3 + j && starting[j] == 0 -> lease = 0
        :: else
        fi
    }
    ran[j]++;
    assert(ran[j] == 1);
    if
    :: true -> exit_file[j] = true
#ifndef CALLS_ONLY
    :: atomic { may_crash -> crashes--; lost[j] = true; goto over }
#endif
    fi;
    if
    :: calls < 2 -> calls++
#ifndef CALLS_ONLY
    :: true /* lost */
    :: calls < 1 -> calls = calls + 2 /* twice */
#endif
    fi;
over:
    skip
}

/* A waker dies: its lock goes with it, unless a supervisor that it has just
 * started still holds the inherited descriptor. */
inline die(me)
{
    d_step {
        crashes--;
        changed = false;
        if
        :: lease != me
#ifndef NO_INHERIT
        :: lease == me && starting[0] > 0 -> lease = 3
#if JOBS > 1
        :: lease == me && starting[0] == 0 && starting[1] > 0 -> lease = 4
#endif
#endif
        :: else -> lease = 0
        fi
    }
}

/* One job looked at; every line between two transactions may be the last. */
inline look(me, j)
{
    if
    :: row[j] == READY && (j == 0 || row[0] == APPLIED) ->
        row[j] = INTENT; changed = true;
#ifdef NO_RECONCILE
        run Supervisor(j); starting[j]++;
        if
        :: may_crash -> die(me); goto top
        :: true
        fi;
        row[j] = WAITING
#endif
#ifndef NO_RECONCILE
    :: row[j] == INTENT ->
        if
        :: claim[j] /* found by its token: adopted */
        :: else ->
            /* fork: the child holds the lease's descriptor from its start */
            atomic { starting[j]++; run Supervisor(j) }
        fi;
        if
        :: may_crash -> die(me); goto top
        :: true
        fi;
        row[j] = WAITING; changed = true
#endif
    :: row[j] == WAITING && blind == false && !exit_file[j] && lost[j] ->
        exit_file[j] = true; changed = true /* settled in its place */
    :: row[j] == WAITING && blind == false && exit_file[j] ->
#ifdef TWO_TXN
        applied[j]++;
        if
        :: may_crash -> die(me); goto top
        :: true
        fi;
        row[j] = APPLIED;
#else
        atomic { applied[j]++; row[j] = APPLIED };
#endif
        assert(applied[j] == 1);
        changed = true
    :: else
    fi;
    if
    :: may_crash -> die(me); goto top
    :: true
    fi
}

/* Activations, one after the other: of callbacks (me = 1), of the sweep. */
proctype Waker(byte me; bool sweeps)
{
    bool changed, blind;
#ifdef SWEEP_BLIND
    blind = sweeps;
#endif
top:
    if
    :: !sweeps && calls > 0 -> calls--
    :: sweeps
    fi;
take:
    if
    :: atomic { lease == 0 -> lease = me; goto held }
    :: lease != 0 -> mark = true
    fi;
    if
    :: atomic { lease == 0 -> lease = me }
    :: lease != 0 -> goto top /* the holder will see the mark */
    fi;
held:
    mark = false;
again:
    changed = false;
    look(me, 0);
#if JOBS > 1
    look(me, 1);
#endif
    if
    :: changed -> goto again
    :: else
    fi;
    lease = 0;
#ifndef NO_LOOK
    if
    :: mark -> goto take
    :: else
    fi;
#endif
    goto top
}

init
{
    atomic {
        calls = 1; /* the engineer's `rea run` */
        run Waker(1, false);
#ifdef CALLS_ONLY
        run Waker(2, false)
#else
        run Waker(2, true)
#endif
    }
}

/* Whatever died on the way, the campaign comes to its end. */
ltl ends { <> (row[JOBS - 1] == APPLIED) }
