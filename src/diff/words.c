/* What an event is called. Terms as in the Raft paper. */
#include <inttypes.h>
#include <string.h>

#include "diff/diff.h"
#include "util/text.h"

static void quote(const char *text, char *out, size_t size)
{
    text_quote(text, strlen(text), out, size);
}

static void entry_words(const struct diff_run *r, const struct diff_event *event, char *out, size_t size)
{
    char text[128];
    quote(diff_run_text(r, event), text, sizeof text);
    if (event->type == 'm')
        snprintf(out, size, "the configuration %s", text);
    else if (event->type == 'n')
        snprintf(out, size, "a no-op");
    else if (*diff_run_text(r, event))
        snprintf(out, size, "%s", text);
    else
        snprintf(out, size, "entry %08" PRIx32, (uint32_t)(event->content >> 32));
}

static const char *message_name(uint8_t type)
{
    static const char *const names[] = {
        [RAFT_REQUEST_VOTE] = "RequestVote", [RAFT_REQUEST_VOTE_RESULT] = "a vote", [RAFT_APPEND_ENTRIES] = "AppendEntries",
        [RAFT_APPEND_ENTRIES_RESULT] = "a result of AppendEntries", [RAFT_INSTALL_SNAPSHOT] = "InstallSnapshot",
        [RAFT_INSTALL_SNAPSHOT_RESULT] = "a result of InstallSnapshot", [RAFT_TIMEOUT_NOW] = "TimeoutNow",
        [RAFT_CLIENT_REQUEST] = "a client's request",
    };
    return type < sizeof names / sizeof *names && names[type] ? names[type] : "a message";
}

static void message_words(const struct diff_run *r, const struct diff_event *event, char *out, size_t size)
{
    const char *peer = diff_run_peer(r, event->peer), *way = event->flags & DIFF_SENT ? "sends" : "receives";
    const char *toward = event->flags & DIFF_SENT ? "to" : "from", *pre = event->flags & DIFF_PRE_VOTE ? " (pre-vote)" : "";
    const char *disk = event->flags & DIFF_AHEAD ? ", before that is on disk" : "";
    switch (event->type) {
    case RAFT_REQUEST_VOTE:
        if (event->peer == DIFF_NO_PEER) {
            snprintf(out, size, "asks for votes in term %" PRIu64 ", log to index %" PRIu64 " of term %" PRIu64 "%s",
                     event->term,
                     event->index, event->last, disk);
            break;
        }
        snprintf(out, size, "%s RequestVote%s of term %" PRIu64 " %s %s, log to index %" PRIu64 " of term %" PRIu64 "%s",
                 way, pre,
                 event->term, toward, peer, event->index, event->last, disk);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        snprintf(out, size, "%s %s%s in term %" PRIu64 " %s %s%s%s", way, event->flags & DIFF_SUCCESS ?
                 "a vote" : "a refused vote", pre,
                 event->term, toward, peer, event->flags & DIFF_SENT && event->last ? ", of an older term" : "", disk);
        break;
    case RAFT_APPEND_ENTRIES:
        snprintf(out, size, "hears %s as leader of term %" PRIu64, peer, event->term);
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        snprintf(out, size, "%s a refusal of AppendEntries %s %s, term %" PRIu64, way, toward, peer, event->term);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        snprintf(out, size, "%s a snapshot %s %s, to index %" PRIu64 " of term %" PRIu64, way, toward, peer, event->index,
                 event->last);
        break;
    default:
        snprintf(out, size, "%s %s %s %s, term %" PRIu64 "%s", way, message_name(event->type), toward, peer, event->term,
                 disk);
    }
}

static void range(uint64_t from, uint64_t to, char *out, size_t size)
{
    if (from == to)
        snprintf(out, size, "index %" PRIu64, from);
    else
        snprintf(out, size, "index %" PRIu64 " to %" PRIu64, from, to);
}

static void recovered_words(const struct diff_run *r, const struct diff_event *event, char *out, size_t size)
{
    char vote[RAFT_NODE_NAME + 32] = "";
    if (event->type == DIFF_STATE) {
        snprintf(out, size, "begins with its snapshot to index %" PRIu64 " of term %" PRIu64, event->index, event->term);
        return;
    }
    if (event->peer != DIFF_NO_PEER)
        snprintf(vote, sizeof vote, ", vote for %s", diff_run_peer(r, event->peer));
    snprintf(out, size, "reads back: term %" PRIu64 "%s, log to index %" PRIu64, event->term, vote, event->index);
}

static void apply_words(const struct diff_event *event, const char *where, char *out, size_t size)
{
    const char *again = event->flags & DIFF_BACK ? " again" : "";
    if (event->type == DIFF_STATE)
        snprintf(out, size, "has applied up to %s: state %08" PRIx32, where, (uint32_t)(event->content >> 32));
    else if (event->content)
        snprintf(out, size, "applies %s%s (state %08" PRIx32 ")", where, again, (uint32_t)(event->content >> 32));
    else
        snprintf(out, size, "applies %s%s", where, again);
}

static void raft_words(const struct diff_run *r, const struct diff_event *event, const char *where, char *out, size_t size)
{
    char entry[160];
    const char *peer = diff_run_peer(r, event->peer);
    switch (event->kind) {
    case DIFF_TERM:
        snprintf(out, size, "%s term %" PRIu64, event->flags & DIFF_BACK ? "goes back to" : "is in", event->term);
        break;
    case DIFF_CANDIDATE: snprintf(out, size, "becomes candidate of term %" PRIu64, event->term); break;
    case DIFF_LEADER: snprintf(out, size, "leads term %" PRIu64, event->term); break;
    case DIFF_FOLLOWER: snprintf(out, size, "is follower again, term %" PRIu64, event->term); break;
    case DIFF_VOTE: snprintf(out, size, "votes for %s in term %" PRIu64, peer, event->term); break;
    case DIFF_REFUSAL: snprintf(out, size, "refuses its vote to %s in term %" PRIu64, peer, event->term); break;
    case DIFF_APPEND:
        entry_words(r, event, entry, sizeof entry);
        snprintf(out, size, "%s %s at %s (term %" PRIu64 ")%s", event->flags & DIFF_BACK ? "replaces by" : "appends", entry,
                 where, event->term, event->flags & DIFF_BEYOND ? ", which nobody had sent it" : "");
        break;
    case DIFF_MEMBERS:
        quote(diff_run_text(r, event), entry, sizeof entry);
        snprintf(out, size, "has the configuration of index %" PRIu64 ": %s", event->index, entry);
        break;
    case DIFF_TRUNCATE:
        if (event->flags & DIFF_AHEAD) {
            snprintf(out, size, "puts a log in place that begins after index %" PRIu64 ", and no snapshot up to there is on disk",
                     event->index);
            break;
        }
        snprintf(out, size, "%s index %" PRIu64 ", from %" PRIu64,
                 event->flags & DIFF_BEYOND ? "replaces its log by one that ends at" : "cuts its log back to", event->index,
                 event->last);
        break;
    case DIFF_SNAPSHOT:
        quote(diff_run_text(r, event), entry, sizeof entry);
        snprintf(out, size, "has a snapshot to %s of term %" PRIu64 "%s%s", where, event->term,
                 event->text ? ", configuration " : "", event->text ? entry : "");
        break;
    case DIFF_COMMIT:
        snprintf(out, size, "%s %s%s", event->flags & DIFF_BACK ? "lowers its commit index to" : "commits", where, "");
        break;
    case DIFF_APPLY: apply_words(event, where, out, size); break;
    case DIFF_ACK:
        if (!(event->flags & DIFF_SUCCESS)) {
            snprintf(out, size, "refuses AppendEntries of %s, term %" PRIu64 ", that fit its log", peer, event->term);
            break;
        }
        snprintf(out, size, "acknowledges to %s up to index %" PRIu64 "%s%s", peer, event->last,
                 event->flags & DIFF_AHEAD ? ", before that is on disk" : "",
                 event->flags & DIFF_BEYOND ? ", more than it was sent" : "");
        break;
    default:
        snprintf(out, size, "sends %s AppendEntries after index %" PRIu64 ", to %" PRIu64 ", that %s", peer, event->index,
                 event->last,
                 event->flags & DIFF_BACK ? "it has acknowledged" : "are not its log");
    }
}

static void client_words(const struct diff_run *r, const struct diff_event *event, char *out, size_t size)
{
    char text[160];
    quote(diff_run_text(r, event), text, sizeof text);
    if (event->kind == DIFF_REQUEST)
        snprintf(out, size, "is asked by a client: %s", text);
    else if (event->index)
        snprintf(out, size, "answers a client: %s, index %" PRIu64, text, event->index);
    else
        snprintf(out, size, "answers a client: %s%s", text, event->content ? ", with a value" : "");
}

void diff_words(const struct diff_run *r, const struct diff_event *event, uint32_t first, uint32_t last, char *out,
                size_t size)
{
    char where[64];
    range(event->index + first, event->index + last, where, sizeof where);
    switch (event->kind) {
    case DIFF_START: snprintf(out, size, "starts, incarnation %" PRIu64, event->index); break;
    case DIFF_EXIT: text_end((int)event->index, out, size); break;
    case DIFF_FAULT:
        snprintf(out, size, "%s: %s %s", event->node == r->outside ? "drd fault" : "fault", diff_run_text(r, event),
                 diff_run_peer(r, event->peer));
        break;
    case DIFF_WRITE_FAILED: snprintf(out, size, "a write fails: %s", diff_run_text(r, event)); break;
    case DIFF_RECOVERED: recovered_words(r, event, out, size); break;
    case DIFF_REQUEST: case DIFF_RESULT: client_words(r, event, out, size); break;
    case DIFF_MESSAGE: message_words(r, event, out, size); break;
    default: raft_words(r, event, where, out, size);
    }
}
