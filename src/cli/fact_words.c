#include "cli/fact_words.h"

#include <inttypes.h>
#include <string.h>

#include "util/text.h"

static const char *const types[] = {
    [RAFT_REQUEST_VOTE] = "RequestVote", [RAFT_REQUEST_VOTE_RESULT] = "RequestVoteResult",
    [RAFT_APPEND_ENTRIES] = "AppendEntries", [RAFT_APPEND_ENTRIES_RESULT] = "AppendEntriesResult",
    [RAFT_INSTALL_SNAPSHOT] = "InstallSnapshot", [RAFT_INSTALL_SNAPSHOT_RESULT] = "InstallSnapshotResult",
    [RAFT_TIMEOUT_NOW] = "TimeoutNow", [RAFT_CLIENT_REQUEST] = "ClientRequest", [RAFT_CLIENT_RESULT] = "ClientResult",
};

const char *fact_message_type(enum raft_type type)
{
    return (size_t)type < sizeof types / sizeof *types && types[type] ? types[type] : "";
}

static void put_quoted(const char *text, FILE *out)
{
    char quoted[256];
    fputs(text_quote(text, strlen(text), quoted, sizeof quoted), out);
}

static void put_entry(const struct raft_entry *entry, FILE *out)
{
    if (entry->type == 'n')
        fputs("a no-op", out);
    else if (entry->type == 'm')
        fprintf(out, "a configuration%s%s", entry->members ? " " : "", entry->members ? entry->members : "");
    else
        put_quoted(entry->text, out);
}

/* ---- messages ---- */

static void put_entries(const struct raft_message *m, FILE *out)
{
    if (!m->entries) {
        fputs("no entry", out);
        return;
    }
    const struct raft_entry *first = &m->entry[0], *last = &m->entry[m->entries - 1];
    if (m->entries == 1) {
        put_entry(first, out);
        fprintf(out, " at index %" PRIu64 " (term %" PRIu64 ")", first->index, first->term);
    } else {
        fprintf(out, "%zu entries, index %" PRIu64 " to %" PRIu64, m->entries, first->index, last->index);
    }
}

static void put_client(const struct raft_message *m, FILE *out)
{
    if (m->entries)
        fputs(": ", out), put_entry(m->entry, out);
    else if (*m->key)
        fputs(": ", out), put_quoted(m->key, out);
    if (m->type == RAFT_CLIENT_RESULT && m->success && m->match)
        fprintf(out, ", done at index %" PRIu64, m->match);
}

static void put_content(const struct raft_message *m, FILE *out)
{
    switch (m->type) {
    case RAFT_REQUEST_VOTE:
        fprintf(out, " of term %" PRIu64 ": its log ends at index %" PRIu64 " of term %" PRIu64, m->term, m->prev_index,
                m->prev_term);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        fprintf(out, " of term %" PRIu64 ": %s", m->term, m->success ? "granted" : "refused");
        break;
    case RAFT_APPEND_ENTRIES:
        fprintf(out, " of term %" PRIu64 ": after index %" PRIu64 " of term %" PRIu64 " ", m->term, m->prev_index,
                m->prev_term);
        put_entries(m, out);
        fprintf(out, ", leaderCommit %" PRIu64, m->commit);
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        fprintf(out, " of term %" PRIu64 ": %s index %" PRIu64, m->term, m->success ? "has up to" : "refused, hint",
                m->match);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        fprintf(out, " of term %" PRIu64 ": up to index %" PRIu64 " of term %" PRIu64, m->term, m->prev_index, m->prev_term);
        break;
    case RAFT_INSTALL_SNAPSHOT_RESULT:
        fprintf(out, " of term %" PRIu64 ": %s", m->term, m->success ? "accepted" : "refused");
        break;
    case RAFT_CLIENT_REQUEST: case RAFT_CLIENT_RESULT:
        put_client(m, out);
        break;
    default:
        if (m->term)
            fprintf(out, " of term %" PRIu64, m->term);
    }
}

static void put_message(const struct raft_fact *fact, const char *peer, FILE *out)
{
    const struct raft_message *m = fact->message;
    bool sent = fact->kind == RAFT_FACT_SENT;
    const char *type = fact_message_type(m->type);
    fprintf(out, "%s %s%s", sent ? "sends" : "receives", *type ? type : m->name, m->pre_vote ? " (pre-vote)" : "");
    if (*peer)
        fprintf(out, " %s %s", sent ? "to" : "from", peer);
    put_content(m, out);
}

static void put_number(const char *name, uint64_t value, FILE *out)
{
    fprintf(out, "  %-16s %" PRIu64 "\n", name, value);
}

static void put_text(const char *name, const char *text, FILE *out)
{
    if (!*text)
        return;
    fprintf(out, "  %-16s ", name);
    put_quoted(text, out);
    putc('\n', out);
}

static void put_plain(const char *name, const char *text, FILE *out)
{
    if (*text)
        fprintf(out, "  %-16s %s\n", name, text);
}

static void put_result(const struct raft_message *m, FILE *out)
{
    fprintf(out, "  %-16s %s\n", "success", m->success ? "true" : "false");
    if (m->type == RAFT_REQUEST_VOTE_RESULT)
        put_plain("votedFor", m->vote, out);
    else
        put_number("matchIndex", m->match, out);
}

void fact_message_fields(const struct raft_message *m, FILE *out)
{
    const char *type = fact_message_type(m->type);
    bool own_word = *type && strcmp(type, m->name) != 0;
    fprintf(out, "  %-16s %s%s%s%s\n", "type", *type ? type : m->name, own_word ? " (" : "", own_word ? m->name : "",
            own_word ? ")" : "");
    put_plain("from", m->from, out);
    put_plain("to", m->to, out);
    bool client = m->type == RAFT_CLIENT_REQUEST || m->type == RAFT_CLIENT_RESULT;
    if (!client)
        put_number("term", m->term, out);
    switch (m->type) {
    case RAFT_REQUEST_VOTE: case RAFT_TIMEOUT_NOW:
        put_number("lastLogIndex", m->prev_index, out);
        put_number("lastLogTerm", m->prev_term, out);
        break;
    case RAFT_APPEND_ENTRIES:
        put_number("prevLogIndex", m->prev_index, out);
        put_number("prevLogTerm", m->prev_term, out);
        put_number("leaderCommit", m->commit, out);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        put_number("lastIncludedIndex", m->prev_index, out);
        put_number("lastIncludedTerm", m->prev_term, out);
        break;
    case RAFT_REQUEST_VOTE_RESULT: case RAFT_APPEND_ENTRIES_RESULT: case RAFT_INSTALL_SNAPSHOT_RESULT:
    case RAFT_CLIENT_RESULT:
        put_result(m, out);
        break;
    default:
        break;
    }
    put_text("request", m->request, out);
    put_text("key", m->key, out);
    for (size_t i = 0; i < m->entries; i++) {
        const struct raft_entry *entry = &m->entry[i];
        fprintf(out, "  %-16s %" PRIu64 " of term %" PRIu64 ": ", i ? "" : "entries", entry->index, entry->term);
        put_entry(entry, out);
        putc('\n', out);
    }
}

/* ---- what it knows, writes and states ---- */

static void put_where(const struct raft_fact *fact, FILE *out)
{
    if (fact->loaded)
        fputs(", read back", out);
    else if (fact->durable)
        fputs(", on stable storage", out);
    else if (fact->written)
        fputs(", written", out);
}

static void put_apply(const struct raft_fact *fact, FILE *out)
{
    if (!fact->term)
        fprintf(out, "has applied up to index %" PRIu64, fact->index);
    else
        fprintf(out, "applies index %" PRIu64 " (term %" PRIu64 ")", fact->index, fact->term);
}

/* Facts of the log and of the state machine. */
static void put_log(const struct raft_fact *fact, FILE *out)
{
    switch (fact->kind) {
    case RAFT_FACT_APPEND:
        fputs("appends ", out);
        put_entry(&fact->entry, out);
        fprintf(out, " at index %" PRIu64 " (term %" PRIu64 ")", fact->index, fact->entry.term);
        break;
    case RAFT_FACT_TRUNCATE: fprintf(out, "deletes what is behind index %" PRIu64, fact->index); break;
    case RAFT_FACT_REWRITTEN: fprintf(out, "another file is the log, from behind index %" PRIu64, fact->index); break;
    case RAFT_FACT_COMMIT: fprintf(out, "commitIndex is %" PRIu64, fact->index); break;
    case RAFT_FACT_APPLY: put_apply(fact, out); break;
    case RAFT_FACT_SNAPSHOT:
        fprintf(out, "has a snapshot up to index %" PRIu64 " of term %" PRIu64, fact->index, fact->term);
        break;
    case RAFT_FACT_CONFIGURATION:
        fprintf(out, "from index %" PRIu64 " on the members are %s", fact->index, fact->text ? fact->text : "?");
        break;
    default: break;
    }
    put_where(fact, out);
}

void fact_line(const struct raft_fact *fact, const char *peer, FILE *out)
{
    static const char *const roles[] = { "follower", "candidate", "leader", "learner" };
    switch (fact->kind) {
    case RAFT_FACT_SENT: case RAFT_FACT_RECEIVED:
        put_message(fact, peer, out);
        break;
    case RAFT_FACT_TERM:
        fprintf(out, "currentTerm is %" PRIu64, fact->term);
        put_where(fact, out);
        break;
    case RAFT_FACT_VOTE:
        fprintf(out, "votedFor is %s in term %" PRIu64, *peer ? peer : "nobody", fact->term);
        put_where(fact, out);
        break;
    case RAFT_FACT_ROLE:
        fprintf(out, "is %s of term %" PRIu64, fact->role >= 0 && fact->role < 4 ? roles[fact->role] : "?", fact->term);
        break;
    case RAFT_FACT_NODE: fprintf(out, "calls itself %s", fact->peer); break;
    case RAFT_FACT_START: fputs("begins", out); break;
    case RAFT_FACT_FAULT: fprintf(out, "fault: %s %s", fact->text ? fact->text : "", peer); break;
    case RAFT_FACT_WRITE_FAILED: fprintf(out, "a write failed: %s", fact->text ? fact->text : ""); break;
    case RAFT_FACT_TEXT:
        fputs("states ", out);
        put_quoted(fact->text ? fact->text : "", out);
        break;
    default:
        put_log(fact, out);
    }
}
