/* Configurations: texts of ids, as RAFT_FACT_CONFIGURATION gives them. */
#include <string.h>

#include "raft/book.h"

const struct raft_members *members_at(const struct raft_book *b, uint64_t index)
{
    for (size_t i = b->configurations; i-- > 0;) {
        if (b->members[i].index <= index)
            return &b->members[i];
    }
    return NULL;
}

bool members_next(const char **at, char id[RAFT_NODE_NAME], bool *votes)
{
    const char *p = *at + strspn(*at, " ");
    size_t length = *p == '|' ? 1 : strcspn(p, " |");
    *at = p + length;
    if (!length)
        return false;
    *votes = p[length - 1] != '*' && *p != '|';
    if (!*votes && *p != '|')
        length--;
    const char *address = memchr(p, '=', length); /* "1=127.0.0.1:9001": the id is what stands before */
    if (address && address > p)
        length = (size_t)(address - p);
    if (length >= RAFT_NODE_NAME)
        length = RAFT_NODE_NAME - 1;
    memcpy(id, p, length);
    id[length] = 0;
    return true;
}

bool members_majority(const char *text, bool (*has)(void *context, const char *id), void *context)
{
    char id[RAFT_NODE_NAME];
    unsigned voters = 0, with = 0;
    bool votes, all = true;
    while (members_next(&text, id, &votes)) {
        if (strcmp(id, "|") == 0) { /* joint consensus: both sides (section 6) */
            all = all && 2 * with > voters;
            voters = with = 0;
        } else if (votes) {
            voters++;
            with += has(context, id);
        }
    }
    return all && 2 * with > voters;
}

/* One side of a joint configuration is enough for those who forget the other. */
static bool side_majority(const char *text, bool (*has)(void *context, const char *id), void *context)
{
    const char *bar = strchr(text, '|');
    char old[1024];
    if (!bar || (size_t)(bar - text) >= sizeof old)
        return false;
    memcpy(old, text, (size_t)(bar - text));
    old[bar - text] = 0;
    return members_majority(old, has, context) || members_majority(bar + 1, has, context);
}

const struct raft_members *members_other(const struct raft_book *b, const struct raft_members *in_force,
                                         bool (*has)(void *context, const char *id), void *context)
{
    for (size_t i = b->configurations; i-- > 0;) {
        const struct raft_members *m = &b->members[i];
        if (m != in_force ? members_majority(m->text, has, context) : side_majority(m->text, has, context))
            return m;
    }
    return b->removed.text && members_majority(b->removed.text, has, context) ? &b->removed : NULL;
}

unsigned members_voters(const char *text)
{
    char id[RAFT_NODE_NAME];
    unsigned voters = 0;
    bool votes;
    while (members_next(&text, id, &votes))
        voters = strcmp(id, "|") == 0 ? 0 : voters + votes;
    return voters;
}
