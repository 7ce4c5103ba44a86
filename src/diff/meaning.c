#include "diff/meaning.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "protocol/walk.h"
#include "trace/record.h"
#include "util/text.h"

#define FACTS_MOST 4 /* told of one event */

/* One of the two walks. */
struct side {
    struct walk *walk;
    struct diff_meaning *at; /* of the event at hand; NULL: between them */
    size_t used;
};

struct diff_follow {
    struct timeline *timeline;
    struct side side[2]; /* recorded, and with what was made */
    uint32_t process;
};

static void say(struct side *s, const char *words)
{
    struct diff_meaning *m = s->at;
    if (++m->facts > FACTS_MOST)
        return;
    int n = snprintf(m->words + s->used, sizeof m->words - s->used, "%s%s", s->used ? "; " : "",
                     m->facts == FACTS_MOST ? "..." : words);
    s->used = n < 0 || (size_t)n >= sizeof m->words - s->used ? sizeof m->words - 1 : s->used + (size_t)n;
}

static void entry_words(const struct raft_entry *entry, char *out, size_t size)
{
    char text[128];
    text_quote(entry->text, strlen(entry->text), text, sizeof text);
    snprintf(out, size, "%s", entry->type == 'n' ? "a no-op" : entry->type == 'm' ? "a configuration" : text);
}

static void append_words(const struct raft_message *m, char *out, size_t size)
{
    char last[160], entries[256] = "no entry";
    if (m->entries) {
        entry_words(&m->entry[m->entries - 1], last, sizeof last);
        snprintf(entries, sizeof entries, "%zu entr%s, the last %s of term %" PRIu64, m->entries,
                 m->entries == 1 ? "y" : "ies", last, m->entry[m->entries - 1].term);
    }
    snprintf(out, size, "AppendEntries of term %" PRIu64 " after index %" PRIu64 " of term %" PRIu64 ": %s, commit index %"
             PRIu64, m->term, m->prev_index, m->prev_term, entries, m->commit);
}

static void client_words(const struct raft_message *m, char *out, size_t size)
{
    char key[128], value[32] = "";
    text_quote(m->key, strlen(m->key), key, sizeof key);
    if (m->value)
        snprintf(value, sizeof value, ", value %08" PRIx32, (uint32_t)(m->value >> 32));
    const char *result = m->type != RAFT_CLIENT_RESULT ? "" : m->success ? ": done" : ": not done";
    snprintf(out, size, "a client's %s, %.31s of %s%s%s", m->type == RAFT_CLIENT_RESULT ? "result" : "request", m->name, key,
             result, value);
}

static void message_words(const struct raft_message *m, char *out, size_t size)
{
    const char *pre = m->pre_vote ? "pre-vote " : "";
    switch (m->type) {
    case RAFT_REQUEST_VOTE:
        snprintf(out, size, "%sRequestVote of term %" PRIu64 ", log to index %" PRIu64 " of term %" PRIu64, pre, m->term,
                 m->prev_index, m->prev_term);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        snprintf(out, size, "%sresult of RequestVote, term %" PRIu64 ": %s", pre, m->term, m->success ? "granted" : "refused");
        break;
    case RAFT_APPEND_ENTRIES:
        append_words(m, out, size);
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        snprintf(out, size, "result of AppendEntries, term %" PRIu64 ": %s, index %" PRIu64, m->term,
                 m->success ? "success" : "refused", m->match);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        snprintf(out, size, "InstallSnapshot of term %" PRIu64 " to index %" PRIu64 " of term %" PRIu64, m->term, m->prev_index,
                 m->prev_term);
        break;
    case RAFT_CLIENT_REQUEST: case RAFT_CLIENT_RESULT:
        client_words(m, out, size);
        break;
    default:
        snprintf(out, size, "%.31s, term %" PRIu64, *m->name ? m->name : "a message", m->term);
    }
}

static void sent_words(const struct raft_fact *fact, char *out, size_t size)
{
    const struct raft_message *m = fact->message;
    bool sent = fact->kind == RAFT_FACT_SENT;
    char words[512], peer[128] = "";
    const char *id = sent ? m->to : m->from;
    message_words(m, words, sizeof words);
    if (*id)
        text_quote(id, strlen(id), peer, sizeof peer);
    snprintf(out, size, "%s%s%s %s", sent ? "sends" : "receives", *peer ? (sent ? " to " : " from ") : "", peer, words);
}

static const char *role_name(int role)
{
    static const char *const names[] = {"follower", "candidate", "leader", "learner"};
    return role >= 0 && role < 4 ? names[role] : "something else";
}

static bool fact_words(const struct raft_fact *fact, char *out, size_t size)
{
    char entry[160];
    switch (fact->kind) {
    case RAFT_FACT_SENT: case RAFT_FACT_RECEIVED:
        sent_words(fact, out, size);
        return true;
    case RAFT_FACT_TERM: snprintf(out, size, "is in term %" PRIu64, fact->term); return true;
    case RAFT_FACT_VOTE:
        text_quote(fact->peer, strlen(fact->peer), entry, sizeof entry);
        snprintf(out, size, "votes for %s in term %" PRIu64, entry, fact->term);
        return true;
    case RAFT_FACT_ROLE: snprintf(out, size, "is %s of term %" PRIu64, role_name(fact->role), fact->term); return true;
    case RAFT_FACT_APPEND:
        entry_words(&fact->entry, entry, sizeof entry);
        snprintf(out, size, "appends %s at index %" PRIu64 " (term %" PRIu64 ")", entry, fact->index, fact->entry.term);
        return true;
    case RAFT_FACT_TRUNCATE: snprintf(out, size, "cuts its log back to index %" PRIu64, fact->index); return true;
    case RAFT_FACT_REWRITTEN: snprintf(out, size, "has another log, after index %" PRIu64, fact->index); return true;
    case RAFT_FACT_COMMIT: snprintf(out, size, "commits to index %" PRIu64, fact->index); return true;
    case RAFT_FACT_APPLY: snprintf(out, size, "applies index %" PRIu64, fact->index); return true;
    case RAFT_FACT_SNAPSHOT:
        snprintf(out, size, "has a snapshot to index %" PRIu64 " of term %" PRIu64, fact->index, fact->term);
        return true;
    case RAFT_FACT_CONFIGURATION: snprintf(out, size, "has a configuration from index %" PRIu64, fact->index); return true;
    case RAFT_FACT_WRITE_FAILED: snprintf(out, size, "a write fails"); return true;
    default:
        return false;
    }
}

/* --- digests --- */

static uint64_t digest_add(uint64_t digest, const void *data, size_t length)
{
    return XXH3_64bits_withSeed(data, length, digest);
}

static uint64_t digest_text(uint64_t digest, const char *text)
{
    return text ? digest_add(digest, text, strlen(text) + 1) : digest;
}

static uint64_t entry_digest(uint64_t digest, const struct raft_entry *entry)
{
    const uint64_t part[] = {entry->index, entry->term, entry->digest, (uint64_t)entry->type};
    return digest_add(digest, part, sizeof part);
}

static uint64_t message_digest(uint64_t digest, const struct raft_message *m)
{
    const uint64_t part[] = {m->type, m->term, m->prev_index, m->prev_term, m->commit, m->match, m->success, m->pre_vote,
                             m->asked, m->round, m->entries, m->length, m->read, m->value};
    const char *const text[] = {m->name, m->from, m->to, m->vote, m->request, m->once, m->key};
    digest = digest_add(digest, part, sizeof part);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        digest = digest_text(digest, text[i]);
    for (size_t i = 0; i < m->entries; i++)
        digest = entry_digest(digest, &m->entry[i]);
    return digest;
}

static uint64_t fact_digest(uint64_t digest, const struct raft_fact *fact)
{
    const uint64_t part[] = {fact->kind, fact->term, fact->index, (uint64_t)fact->role, fact->durable, fact->loaded};
    digest = digest_add(digest, part, sizeof part);
    digest = digest_text(digest_text(digest, fact->peer), fact->text);
    digest = entry_digest(digest, &fact->entry);
    return fact->message ? message_digest(digest, fact->message) : digest;
}

/* --- the walks --- */

static void on_fact(void *context, const struct raft_fact *fact)
{
    struct side *s = context;
    char words[1024];
    if (!s->at)
        return;
    s->at->digest = fact_digest(s->at->digest, fact);
    if (fact->again || !fact_words(fact, words, sizeof words))
        s->at->facts += s->at->facts == 0;
    else
        say(s, words);
}

static bool side_event(struct side *s, const struct trace_event *event)
{
    return !walk_wants(event->code) || walk_event(s->walk, event);
}

/* As it would stand there: with the answer that was recorded, and as the beginning of a call where that stands there. */
static bool decode(const uint8_t *made, size_t length, const struct trace_event *recorded, struct trace_event *out)
{
    struct trace_state state = {.sequence = recorded->sequence, .time = recorded->time, .thread = recorded->thread};
    if (!trace_decode(made, made + length, &state, out))
        return false;
    out->sequence = recorded->sequence;
    out->process = recorded->process;
    out->thread = recorded->thread;
    out->time = recorded->time;
    if (out->call < 0 || out->call != recorded->call)
        return true;
    out->result = recorded->result;
    if (recorded->code == TRACE_ENTER) {
        out->code = TRACE_ENTER;
        out->complete = false;
        out->fields = 1;
        out->field[0] = out->call;
    }
    return true;
}

/* Only what goes out can be told of what was never answered. */
static bool goes_out(const struct trace_event *event)
{
    return event->code == TRACE_MARK || event->input[0].data || event->input[1].data || event->input[2].data;
}

static bool made_event(struct side *s, const struct trace_event *recorded, const uint8_t *made, size_t length)
{
    struct trace_event other;
    return !made || !decode(made, length, recorded, &other) || !goes_out(&other) || side_event(s, &other);
}

static bool side_take(struct side *s, const struct trace_event *event, const uint8_t *made, size_t length, bool is_made,
                      struct diff_meaning *out)
{
    *out = (struct diff_meaning){.facts = 0};
    s->at = out;
    s->used = 0;
    bool good = is_made ? made_event(s, event, made, length) : side_event(s, event);
    s->at = NULL;
    return good;
}

static bool side_init(struct side *s)
{
    const struct walk_listener listener = {.context = s, .fact = on_fact};
    return (s->walk = walk_create(&listener)) != NULL;
}

struct diff_follow *diff_follow_create(struct store *s, uint32_t process, struct drd_error *e)
{
    struct diff_follow *f = calloc(1, sizeof *f);
    if (!f || !side_init(&f->side[0]) || !side_init(&f->side[1])) {
        diff_follow_destroy(f);
        return error_set(e, DRD_EXIT_FATAL, "out of memory"), NULL;
    }
    f->process = process;
    f->timeline = timeline_open(s, e);
    if (f->timeline)
        return f;
    diff_follow_destroy(f);
    return NULL;
}

void diff_follow_destroy(struct diff_follow *f)
{
    if (!f)
        return;
    timeline_close(f->timeline);
    walk_destroy(f->side[0].walk);
    walk_destroy(f->side[1].walk);
    free(f);
}

bool diff_follow_to(struct diff_follow *f, uint64_t sequence, const uint8_t *made, size_t length,
                    struct diff_meaning *recorded, struct diff_meaning *instead, struct drd_error *e)
{
    struct trace_event event;
    int more;
    bool good = true;
    *recorded = *instead = (struct diff_meaning){.facts = 0};
    while (good && (more = timeline_next(f->timeline, &event, e)) > 0) {
        if (event.process == f->process && event.sequence >= sequence) {
            good = side_take(&f->side[0], &event, NULL, 0, false, recorded) &&
                   side_take(&f->side[1], &event, made, length, true, instead);
            return good || error_set(e, DRD_EXIT_FATAL, "out of memory");
        }
        good = side_event(&f->side[0], &event) && side_event(&f->side[1], &event);
    }
    return good ? more == 0 : error_set(e, DRD_EXIT_FATAL, "out of memory");
}
