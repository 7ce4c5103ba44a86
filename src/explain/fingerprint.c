/* A name for the bug behind a run, the same whenever it strikes again.
 *
 * Algorithm 1: property, class, what the break spoils, and the protocol. Nothing of this one run: no index, term, time, node,
 * address or line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "explain/explain.h"

#define ALGORITHM 1

static const char *protocol_of(const struct verdict *v)
{
    const struct raft_finding *f = v->finding;
    for (size_t i = 0; f && i < f->sides; i++) {
        if (f->side[i].variant && f->side[i].variant->protocol)
            return f->side[i].variant->protocol;
    }
    return "raft";
}

bool verdict_fingerprint(const struct verdict *v, struct verdict_fingerprint *out)
{
    static const char *const spoils[] = {
        [RAFT_SPOILS_NOTHING] = "progress", [RAFT_SPOILS_ELECTION] = "election", [RAFT_SPOILS_LOG] = "log",
        [RAFT_SPOILS_ACK] = "acknowledgement", [RAFT_SPOILS_COMMIT] = "commit", [RAFT_SPOILS_STATE] = "state",
        [RAFT_SPOILS_READ] = "read", [RAFT_SPOILS_TERM] = "term", [RAFT_SPOILS_MEMBERS] = "members",
    };
    const struct raft_break *b = v->cause.rule_break;
    if (!v->finding && !b)
        return false;
    snprintf(out->text, sizeof out->text, "%s; %s%s%s; %s", v->finding ? raft_property_names[v->finding->property].name : "no property",
             b ? raft_classes[b->class].title : "cause unknown", b ? "; " : "", b ? spoils[b->spoils] : "", protocol_of(v));
    out->algorithm = ALGORITHM;
    snprintf(out->value, sizeof out->value, "%06" PRIx64 "-%s", (uint64_t)XXH3_64bits(out->text, strlen(out->text)) & 0xffffff,
             b ? raft_classes[b->class].id : "T00");
    return true;
}
