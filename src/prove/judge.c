/* What a run that was made again says about the cause. Every doubt counts against the proof. */
#include "prove/prove.h"

#include <string.h>

/* At that very event it was broken in the first run too, and that was not the cause. */
static bool is_earlier(const struct prove_target *t, const struct explore_break *b)
{
    for (size_t i = 0; i < t->earliers; i++)
        if (t->earlier[i].process == b->process && t->earlier[i].event == b->event)
            return true;
    return false;
}

/* When the rule of the cause was broken first, beside the times at which it was before. */
static uint64_t broken_at(const struct prove_target *t, const struct explore_outcome *o, bool *is)
{
    uint64_t time = UINT64_MAX;
    *is = false;
    for (size_t i = 0; i < o->breaks; i++) {
        if (o->broken[i].what != t->broken || is_earlier(t, &o->broken[i]))
            continue;
        *is = true;
        time = o->broken[i].time < time ? o->broken[i].time : time;
    }
    return *is ? time : 0;
}

/* The violation may be gone because the run is over before it: that says nothing, unless the command was content. */
static bool went_on(const struct prove_run *r, uint64_t moment)
{
    return r->passed || r->world > moment;
}

struct prove_run prove_judge(const struct prove_target *t, const struct explore_outcome *o)
{
    const struct triage_result *result = &o->result;
    bool violated = result->kind == TRIAGE_VIOLATION, same;
    struct prove_run r = {.end = PROVE_OPEN, .world = o->world, .passed = o->done && result->exit_status == 0};
    uint64_t broken = broken_at(t, o, &r.broke);
    bool unsure = o->breaks_more && !r.broke; /* it may be among those that were not kept */
    r.broke |= unsure;
    if (!o->done || o->stopped || o->missed || result->kind == TRIAGE_BROKEN || (unsure && !t->violated))
        return r;
    same = t->violated ? violated && !strcmp(result->fingerprint, t->fingerprint) : r.broke;
    if (same) {
        r.end = PROVE_SAME;
        r.moment = t->violated ? o->violated : broken;
    } else if (violated) {
        r.end = PROVE_OTHER;
    } else if ((result->judged || result->idle) && went_on(&r, t->moment)) {
        r.end = PROVE_GONE;
    }
    return r;
}

void prove_pair(struct prove_run *changed, const struct prove_run *unchanged)
{
    if (changed->end == PROVE_GONE && !went_on(changed, unchanged->moment))
        changed->end = PROVE_OPEN;
}

void prove_count(struct proof_count *c, const struct prove_run *r)
{
    c->runs++;
    c->same += r->end == PROVE_SAME;
    c->gone += r->end == PROVE_GONE;
    c->other += r->end == PROVE_OTHER;
    c->open += r->end == PROVE_OPEN;
    c->broke += r->broke;
    c->passed += r->passed;
}

bool prove_is_without(const struct prove_run *r, bool decision)
{
    return r->end == PROVE_GONE && (decision || !r->broke);
}

/* If the rule is broken as before and does no harm, another condition was taken away, not the cause. */
bool prove_proves(const struct proof_trial *t, unsigned times)
{
    return times && t->changed.runs == times && t->changed.gone == times && (t->decision || !t->changed.broke) &&
           t->unchanged.runs == times && t->unchanged.same == times;
}

void prove_conclude(struct proof *p)
{
    bool holds = p->trials > 0 && !p->stopped;
    p->state = PROOF_OPEN;
    for (size_t i = 0; i < p->trials; i++) {
        if (prove_proves(&p->trial[i], p->times)) {
            p->state = PROOF_PROVED;
            p->proving = i;
            return;
        }
        holds &= p->trial[i].changed.runs > 0 && p->trial[i].changed.same == p->trial[i].changed.runs;
    }
    if (holds)
        p->state = PROOF_HOLDS;
}
