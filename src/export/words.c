#include "export/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "util/text.h"

static void add(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add(char *out, size_t size, const char *format, ...)
{
    size_t used = strlen(out);
    va_list args;
    va_start(args, format);
    if (used < size)
        vsnprintf(out + used, size - used, format, args);
    va_end(args);
}

char *words_clean(char *text)
{
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    return text;
}

const char *words_token(const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s", *name ? name : "?");
    for (char *p = words_clean(out); *p; p++)
        if (*p == ' ')
            *p = '_';
    return out;
}

/* --- messages --- */

static void entry_words(const struct raft_entry *e, char *out, size_t size)
{
    char text[4 * sizeof e->text + 8];
    if (e->type == 'n')
        add(out, size, "no-op");
    else if (e->type == 'm')
        add(out, size, "a configuration");
    else if (e->text[0])
        add(out, size, "%s", text_quote(e->text, strnlen(e->text, sizeof e->text), text, sizeof text));
    else
        add(out, size, "entry %08" PRIx32, (uint32_t)(e->digest >> 32));
}

static void append_words(const struct raft_message *m, char *out, size_t size)
{
    add(out, size, "AppendEntries of term %" PRIu64 ", ", m->term);
    if (m->entries)
        add(out, size, "%zu %s", m->entries, m->entries == 1 ? "entry" : "entries");
    else
        add(out, size, "empty,");
    add(out, size, " after %" PRIu64 " (term %" PRIu64 "), commit %" PRIu64, m->prev_index, m->prev_term, m->commit);
    if (m->entries && m->entry) {
        add(out, size, ": ");
        entry_words(m->entry, out, size);
        add(out, size, "%s", m->entries > 1 ? ", ..." : "");
    }
}

static void client_words(const struct raft_message *m, char *out, size_t size)
{
    char key[4 * sizeof m->key + 8] = "";
    bool asks = m->type == RAFT_CLIENT_REQUEST;
    add(out, size, "%s %.31s", asks ? "a client asks" : "the client is told", m->name);
    if (asks && m->entries && m->entry) {
        add(out, size, " ");
        entry_words(m->entry, out, size);
    } else if (m->key[0]) {
        add(out, size, "%s%s", asks ? " " : " of ", text_quote(m->key, strnlen(m->key, sizeof m->key), key, sizeof key));
    }
    if (!asks && m->match)
        add(out, size, ", index %" PRIu64, m->match);
}

static void result_words(const struct raft_message *m, const char *what, char *out, size_t size)
{
    add(out, size, "%s %s, term %" PRIu64, what, m->success ? "accepted" : "refused", m->term);
    if (m->match)
        add(out, size, ", %s %" PRIu64, m->success ? "up to" : "hint", m->match);
}

static void message_words(const struct raft_message *m, char *out, size_t size)
{
    const char *pre = m->pre_vote ? "pre-vote" : "vote";
    switch (m->type) {
    case RAFT_REQUEST_VOTE:
        add(out, size, "RequestVote%s of term %" PRIu64 ", log to %" PRIu64 " (term %" PRIu64 ")",
            m->pre_vote ? " (pre-vote)" : "", m->term, m->prev_index, m->prev_term);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        add(out, size, "%s %s, term %" PRIu64, pre, m->success ? "granted" : "refused", m->term);
        break;
    case RAFT_APPEND_ENTRIES: append_words(m, out, size); break;
    case RAFT_APPEND_ENTRIES_RESULT: result_words(m, "AppendEntries", out, size); break;
    case RAFT_INSTALL_SNAPSHOT:
        add(out, size, "InstallSnapshot of term %" PRIu64 ", to %" PRIu64 " (term %" PRIu64 ")", m->term, m->prev_index,
            m->prev_term);
        break;
    case RAFT_INSTALL_SNAPSHOT_RESULT: result_words(m, "InstallSnapshot", out, size); break;
    case RAFT_TIMEOUT_NOW: add(out, size, "TimeoutNow of term %" PRIu64, m->term); break;
    case RAFT_CLIENT_REQUEST: case RAFT_CLIENT_RESULT: client_words(m, out, size); break;
    default: add(out, size, "%.31s", m->name[0] ? m->name : "message"); break;
    }
}

void words_message(const struct raft_message *m, char *out, size_t size)
{
    if (out[0])
        add(out, size, "; ");
    message_words(m, out, size);
    words_clean(out);
}

const char *words_feed(const struct feed_message *m, char *out, size_t size)
{
    char name[sizeof m->name];
    if (m->text[0])
        snprintf(out, size, "%s", m->text);
    else
        snprintf(out, size, "%s, %" PRIu64 " byte%s", words_clean(strcpy(name, m->name)), m->length,
                 m->length == 1 ? "" : "s");
    return out;
}

const char *words_peer(const struct cast *cast, const struct feed_message *m, bool of_sender, char out[FEED_TEXT])
{
    uint32_t peer = of_sender ? m->from : m->to;
    if (peer)
        return cast_word(cast, peer);
    snprintf(out, FEED_TEXT, "%s", m->address[0] ? m->address : "a program that is not recorded");
    return words_clean(out);
}

/* --- changes --- */

void words_change(const struct track_change *c, char *out, size_t size)
{
    out[0] = '\0';
    switch (c->kind) {
    case TRACK_FOLLOWER: add(out, size, "becomes follower in term %" PRIu64, c->node->term); break;
    case TRACK_CANDIDATE: add(out, size, "becomes candidate of term %" PRIu64, c->node->term); break;
    case TRACK_LEADER: add(out, size, "becomes leader of term %" PRIu64, c->node->term); break;
    case TRACK_VOTE: add(out, size, "votes for %.63s in term %" PRIu64, c->node->vote, c->node->vote_term); break;
    case TRACK_COMMIT: add(out, size, "commits up to %" PRIu64, c->node->commit); break;
    case TRACK_TRUNCATE: add(out, size, "deletes its log after %" PRIu64, c->node->last); break;
    case TRACK_SNAPSHOT: add(out, size, "has a snapshot up to %" PRIu64, c->fact->index); break;
    case TRACK_MEMBERS: add(out, size, "configuration: %.60s", c->fact->text ? c->fact->text : ""); break;
    case TRACK_APPEND:
        add(out, size, "appends ");
        entry_words(&c->fact->entry, out, size);
        add(out, size, " at %" PRIu64 " (term %" PRIu64 ")", c->fact->entry.index, c->fact->entry.term);
        break;
    case TRACK_APPLY:
        add(out, size, c->fact->entry.term ? "applies %" PRIu64 : "applied up to %" PRIu64, c->node->applied);
        if (c->fact->entry.term) /* a digest is that of the state */
            add(out, size, " (term %" PRIu64 ")%s%.47s", c->fact->entry.term, c->fact->entry.text[0] ? ": " : "",
                c->fact->entry.text);
        break;
    case TRACK_SPEAKS: add(out, size, "is a Raft server in term %" PRIu64, c->node->term); break;
    }
    words_clean(out);
}

static void fault_words(const struct raft_fact *f, char *out, size_t size)
{
    const char *what = f->text ? f->text : "";
    if (!f->process) /* what was asked of the recorder */
        add(out, size, "drd fault %s%s%s", what, f->peer[0] ? " " : "", f->peer);
    else if (!strcmp(what, "cut"))
        add(out, size, "is cut off from %s", f->peer[0] ? f->peer : "others");
    else if (!strcmp(what, "heal"))
        add(out, size, "is connected again%s%s", f->peer[0] ? " with " : "", f->peer);
    else if (!strcmp(what, "refuse"))
        add(out, size, "cannot connect%s%s", f->peer[0] ? " to " : "", f->peer);
    else
        add(out, size, "fault %s%s%s", what, f->peer[0] ? " " : "", f->peer);
}

bool words_incident(const struct raft_fact *f, char *out, size_t size)
{
    out[0] = '\0';
    if (f->kind == RAFT_FACT_START)
        add(out, size, "starts%s%s", f->text && *f->text ? ": " : "", f->text ? f->text : "");
    else if (f->kind == RAFT_FACT_FAULT)
        fault_words(f, out, size);
    else if (f->kind == RAFT_FACT_WRITE_FAILED)
        add(out, size, "fails: %s", f->text ? f->text : "a write");
    else if (f->kind == RAFT_FACT_TEXT && f->text)
        add(out, size, "says: %s", f->text);
    words_clean(out);
    return out[0] != '\0';
}
