/* facts RUN.drd: every fact of a run as a line, in the order in which the walk tells them:
 *   EVENT [tTHREAD] KIND [written|durable|again|loaded...] ...
 * For people who write adapters and rules, and for scripts that check them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/protocol.h"

static const char *const kinds[] = {
    [RAFT_FACT_SENT] = "sent", [RAFT_FACT_RECEIVED] = "received", [RAFT_FACT_TERM] = "term", [RAFT_FACT_VOTE] = "vote",
    [RAFT_FACT_ROLE] = "role", [RAFT_FACT_APPEND] = "append", [RAFT_FACT_TRUNCATE] = "truncate",
    [RAFT_FACT_REWRITTEN] = "rewritten",
    [RAFT_FACT_COMMIT] = "commit", [RAFT_FACT_APPLY] = "apply", [RAFT_FACT_SNAPSHOT] = "snapshot",
    [RAFT_FACT_CONFIGURATION] = "configuration", [RAFT_FACT_NODE] = "node", [RAFT_FACT_START] = "start",
    [RAFT_FACT_FAULT] = "fault", [RAFT_FACT_WRITE_FAILED] = "write_failed", [RAFT_FACT_TEXT] = "text",
};

static const char *const types[] = {
    [RAFT_NONE] = "none", [RAFT_REQUEST_VOTE] = "RequestVote", [RAFT_REQUEST_VOTE_RESULT] = "RequestVoteResult",
    [RAFT_APPEND_ENTRIES] = "AppendEntries", [RAFT_APPEND_ENTRIES_RESULT] = "AppendEntriesResult",
    [RAFT_INSTALL_SNAPSHOT] = "InstallSnapshot", [RAFT_INSTALL_SNAPSHOT_RESULT] = "InstallSnapshotResult",
    [RAFT_TIMEOUT_NOW] = "TimeoutNow", [RAFT_OTHER] = "other", [RAFT_CLIENT_REQUEST] = "ClientRequest",
    [RAFT_CLIENT_RESULT] = "ClientResult",
};

struct processes {
    struct store_process *list;
    size_t count;
};

static void print_event(const struct processes *p, const struct raft_fact *fact)
{
    char name[128] = "";
    for (size_t i = 0; i < p->count && !*name; i++)
        if (p->list[i].number == fact->process)
            event_name(&p->list[i], fact->sequence, name, sizeof name);
    printf("%s", name);
    if (fact->thread)
        printf(" t%" PRIu32, fact->thread);
}

static void print_number(const char *word, uint64_t value)
{
    if (value)
        printf(" %s=%" PRIu64, word, value);
}

static void print_text(const char *word, const char *value)
{
    if (value && *value)
        printf(" %s=\"%s\"", word, value);
}

static void print_entry(const struct raft_entry *e)
{
    printf(" %" PRIu64 ":%" PRIu64 "%c", e->index, e->term, e->type ? e->type : '-');
    if (e->digest)
        printf("#%08" PRIx32, (uint32_t)e->digest);
    print_text("text", e->text);
    print_text("members", e->members);
}

static void print_message(const struct raft_message *m)
{
    printf(" %s id=%016" PRIx64 " %s->%s name=%s", types[m->type], m->id, *m->from ? m->from : "?", *m->to ? m->to : "?",
           m->name);
    print_number("term", m->term);
    print_number("prev_index", m->prev_index);
    print_number("prev_term", m->prev_term);
    print_number("commit", m->commit);
    print_number("match", m->match);
    print_number("success", m->success);
    print_number("pre_vote", m->pre_vote);
    print_text("vote", m->vote);
    print_text("request", m->request);
    print_text("key", m->key);
    print_number("read", m->read);
    print_number("value", m->value);
    print_number("entries", m->entries);
    for (size_t i = 0; i < m->entries; i++)
        print_entry(&m->entry[i]);
}

static void print_fact(void *context, const struct raft_fact *fact)
{
    print_event(context, fact);
    printf(" %s %s%s%s%s%s", fact->protocol, kinds[fact->kind], fact->written ? " written" : "",
           fact->durable ? " durable" : "", fact->again ? " again" : "", fact->loaded ? " loaded" : "");
    if (fact->message) {
        print_message(fact->message);
    } else {
        print_number("term", fact->term);
        print_number("index", fact->index);
        print_text("peer", fact->peer);
        if (fact->kind == RAFT_FACT_ROLE)
            printf(" role=%d", fact->role);
        if (fact->kind == RAFT_FACT_APPEND || fact->kind == RAFT_FACT_APPLY)
            print_entry(&fact->entry);
        print_text("text", fact->text);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct drd_error error = {0};
    struct processes p = {NULL, 0};
    struct store *s = argc == 2 ? store_open(argv[1], STORE_READ, &error) : NULL;
    if (argc != 2)
        fprintf(stderr, "usage: facts RUN.drd\n");
    bool good = s && store_processes(s, &p.list, &p.count, &error) && protocol_walk(s, print_fact, &p, &error);
    if (!good && argc == 2)
        fprintf(stderr, "facts: %s\n", error.message);
    for (size_t i = 0; i < p.count; i++)
        store_process_fini(&p.list[i]);
    free(p.list);
    store_close(s);
    return !good;
}
