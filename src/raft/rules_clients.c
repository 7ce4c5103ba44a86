/* What clients ask and are told: T21, T23 for a command that was sent again, and the properties that reads see what was
 * acknowledged and that a command takes effect once. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

#define READS_OPEN 256 /* not answered yet; the oldest is forgotten, and not judged */

/* A read that a node has taken and not answered. */
struct read {
    char key[48];
    uint64_t request; /* hash */
    uint16_t node;
    struct raft_letter asked;
};

/* A write of a key, from its request on. */
struct write {
    uint64_t request, key, once; /* hashes: there are many; once 0: it may be done each time it is sent */
    uint64_t value, index;
    uint64_t asked, answered; /* orders; answered 0: not yet */
    struct raft_witness at;   /* of the answer */
};

/* Writes that are remembered: the latest of each key that is not superseded, and those not answered, by age. When there are
 * more, the oldest are forgotten, many at a time, and first those that wait for an answer, which may never come. What was
 * forgotten may still be read, and must not be taken for nonsense then: see `forgotten`. */
#define WRITES_KEPT 4096
#define WRITES_DROPPED 1024

/* A set of what was forgotten, as a Bloom filter: it may say yes where it should say no. Then a stale read is missed. */
#define FORGOTTEN_BITS (1u << 20)

/* A command that is to be applied once. */
struct once {
    uint64_t name;           /* hash; 0: none */
    uint64_t command;        /* digest of its entry, 0 unknown */
    const char *protocol;    /* that gave it */
    uint64_t value, index;   /* of the first answer; value 0: none yet */
    struct raft_witness at;    /* of the first answer */
    struct raft_witness again; /* the last time it was asked for after that */
};

/* By name and by command, a few places for each; a new one takes the place of the oldest there, of which nothing is said. */
#define ONCE_SETS 1024
#define ONCE_WAYS 4

/* Results on their way: the order at which each was sent, by message id. What is overwritten counts as sent late. */
#define RESULTS_KEPT 16384

struct result_sent {
    uint64_t id, order;
};

/* How far the state machine of a node is, and its state's digest, 0 if that is not known. */
struct machine {
    uint64_t index, state;
};

struct clients {
    struct each machine;        /* struct machine */
    struct once *once;          /* ONCE_SETS of ONCE_WAYS, the latest first */
    uint64_t *command;          /* the same of the digests of their entries */
    struct result_sent *result; /* RESULTS_KEPT, by the lower bits of the id */
    struct read *read;
    size_t reads;
    struct write *write;        /* oldest first */
    size_t writes;
    uint8_t *forgotten;         /* keys, and keys with a value, hashed */
    bool still;                 /* an entry left the digest of the state as it was: it is not of the index as well */
};

static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    while (*text)
        h = (h ^ (unsigned char)*text++) * 1099511628211u;
    return h;
}

/* --- commands that are to be applied once (T23) --- */

static struct once *once_find(const struct clients *c, uint64_t name)
{
    for (size_t i = 0; c->once && i < ONCE_WAYS; i++) {
        struct once *o = &c->once[name % ONCE_SETS * ONCE_WAYS + i];
        if (o->name == name)
            return o;
    }
    return NULL;
}

static struct once *once_make(struct step *s, struct clients *c, uint64_t name)
{
    struct once *found = once_find(c, name);
    if (found)
        return found;
    if (!c->once)
        c->once = calloc(ONCE_SETS * ONCE_WAYS, sizeof *c->once);
    if (!c->once) {
        step_out_of_memory(s);
        return NULL;
    }
    struct once *set = &c->once[name % ONCE_SETS * ONCE_WAYS];
    memmove(set + 1, set, (ONCE_WAYS - 1) * sizeof *set);
    set[0] = (struct once){.name = name};
    return set;
}

static bool command_known(const struct clients *c, uint64_t digest)
{
    const uint64_t *set = c->command ? &c->command[digest % ONCE_SETS * ONCE_WAYS] : NULL;
    for (size_t i = 0; set && digest && i < ONCE_WAYS; i++) {
        if (set[i] == digest)
            return true;
    }
    return false;
}

static void command_keep(struct step *s, struct clients *c, uint64_t digest)
{
    if (!digest || command_known(c, digest))
        return;
    if (!c->command)
        c->command = calloc(ONCE_SETS * ONCE_WAYS, sizeof *c->command);
    if (!c->command) {
        step_out_of_memory(s);
        return;
    }
    uint64_t *set = &c->command[digest % ONCE_SETS * ONCE_WAYS];
    memmove(set + 1, set, (ONCE_WAYS - 1) * sizeof *set);
    set[0] = digest;
}

static void once_open(struct step *s, struct clients *c, const struct raft_message *m)
{
    struct once *o = m->once[0] ? once_make(s, c, hash(m->once)) : NULL;
    if (!o || !m->entries || !m->entry[0].digest)
        return;
    if (o->value)
        o->again = step_witness(s, RAFT_HOW_HEARD, true);
    o->command = m->entry[0].digest;
    o->protocol = s->fact->protocol;
    command_keep(s, c, o->command);
}

/* `certain`: both indexes hold the command. */
static void twice_finding(struct step *s, const struct raft_witness *first, uint64_t earlier, uint64_t index, bool certain)
{
    enum raft_how how = s->fact->kind == RAFT_FACT_APPLY ? RAFT_HOW_APPLIED : RAFT_HOW_ANSWERED;
    struct raft_change change = {.kind = RAFT_CHANGE_TWICE, .cluster = s->node->cluster, .other = *first, .before = earlier,
                                 .witness = step_witness(s, how, true), .now = index};
    change.witness.inferred = !certain;
    raft_properties_check(s->model, &change);
}

/* What stands at an index of the log of the node, or was committed there if its log begins later. NULL: not known. */
static const struct raft_variant *entry_at(struct step *s, uint64_t index)
{
    const struct raft_slot *slot = index ? raft_node_slot(s->node, index) : NULL;
    const struct raft_variant *v = NULL;
    if (slot)
        return slot->variant;
    if (index && index <= s->node->snapshot)
        v = raft_cluster_entries(s->cluster, index);
    while (v && v->committed.how == RAFT_HOW_NONE)
        v = v->next;
    return v;
}

enum answer { NO, YES, UNKNOWN };

/* Whether the command stands at this index. Digests of two adapters cannot be compared. */
static enum answer stands_at(struct step *s, const struct once *o, uint64_t index)
{
    const struct raft_variant *v = o->command ? entry_at(s, index) : NULL;
    if (!v)
        return UNKNOWN;
    if (raft_variant_shows(v, o->command, o->protocol))
        return YES;
    bool told = (v->digest && v->protocol && strcmp(v->protocol, o->protocol) == 0) ||
                (v->second_digest && v->second_protocol && strcmp(v->second_protocol, o->protocol) == 0);
    return told ? NO : UNKNOWN;
}

/* Two answers to one command. If the log has it twice, it was applied twice; if the first entry was lost, or both answers
 * are of one entry, something else is behind it, which other rules see. */
static void answered_otherwise(struct step *s, const struct once *o, const struct raft_message *m)
{
    enum answer first = stands_at(s, o, o->index), second = stands_at(s, o, m->match);
    bool certain = first == YES && second == YES;
    if (first == NO || second == NO || (o->index && o->index == m->match))
        return;
    struct raft_break *open = break_open(s, RAFT_T23, RAFT_SPOILS_STATE, "once");
    if (open && open->index == m->match && certain)
        open->likely = false; /* what the state alone did not say */
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, s->node->term, m->match, "once");
    break_text(b, "once", "%s applied a command of a client again, when it was sent again: the second answer is another",
               s->node->name);
    break_reason(b, &o->at, "answers the command for the first time");
    break_reason(b, &o->again, "is sent the command again");
    if (!certain)
        break_likely(b, "that its log has the command twice, and did not lose the first, was not seen");
    twice_finding(s, &o->at, o->index, m->match, certain);
}

static void once_close(struct step *s, struct clients *c, const struct raft_message *m)
{
    struct once *o = m->once[0] && m->success && m->value ? once_make(s, c, hash(m->once)) : NULL;
    if (!o)
        return;
    if (o->value && o->value != m->value)
        answered_otherwise(s, o, m);
    if (o->value)
        return;
    o->value = m->value;
    o->index = m->match;
    o->at = step_witness(s, RAFT_HOW_ANSWERED, true);
}

/* What applying an entry did to the state, where each apply was stated. */
static bool had_effect(struct step *s, const struct raft_variant *v)
{
    const struct raft_variant *before = raft_cluster_entries(s->cluster, v->index - 1);
    while (before && before->applied.how == RAFT_HOW_NONE)
        before = before->next;
    return v->applied.how != RAFT_HOW_NONE && v->state && before && before->state && before->state != v->state;
}

/* The state changed at a repetition of a command that had changed it before. */
static void check_effect(struct step *s, const struct clients *c)
{
    uint64_t index = s->fact->entry.index;
    const struct raft_variant *v = applied_entry(s);
    if (!v || !c->still || !(command_known(c, v->digest) || command_known(c, v->second_digest)))
        return;
    uint64_t earlier = applied_before(s, v);
    const struct raft_variant *w = earlier ? entry_at(s, earlier) : NULL;
    if (!w || !raft_variant_shows(w, v->digest, v->protocol) || !had_effect(s, w))
        return;
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, v->term, index, "once");
    break_text(b, "once", "%s applied index %" PRIu64 ", a repetition of index %" PRIu64 ", and its state changed once more",
               s->node->name, index, earlier);
    if (b)
        break_reason(b, &w->applied, "applies index %" PRIu64 ": its state is %016" PRIx64 " then", earlier, w->state);
    break_likely(b, "that its state is what commands left, and nothing that it notes of clients, was not seen; answers would"
                 " show it");
    twice_finding(s, &w->applied, earlier, index, true);
}

static void machine_applies(struct step *s, struct clients *c)
{
    struct machine *m = each_of(s, &c->machine, sizeof *m);
    const struct raft_entry *e = &s->fact->entry;
    if (!m || !e->term || !e->index)
        return;
    if (m->index + 1 == e->index && m->state && e->digest) {
        if (m->state == e->digest)
            c->still = true;
        else
            check_effect(s, c);
    }
    *m = (struct machine){e->index, e->digest};
}

/* --- reads (T21) --- */

static void read_open(struct step *s, struct clients *c, const struct raft_message *m)
{
    if (!c->read)
        c->read = malloc(READS_OPEN * sizeof *c->read);
    if (!c->read) {
        step_out_of_memory(s);
        return;
    }
    if (c->reads == READS_OPEN)
        memmove(c->read, c->read + 1, --c->reads * sizeof *c->read);
    struct read *r = &c->read[c->reads++];
    *r = (struct read){.node = (uint16_t)(s->node - s->model->node), .asked = s->node->book.trigger};
    r->asked.at = step_witness(s, RAFT_HOW_HEARD, true);
    r->request = hash(m->request);
    memcpy(r->key, m->key, sizeof r->key);
}

/* Of a write whose value is not known, the key: it may have left any. */
static uint64_t forgotten_hash(uint64_t key, uint64_t value)
{
    uint64_t h = key ^ (value * 0x9e3779b97f4a7c15u);
    h = (h ^ (h >> 31)) * 0xbf58476d1ce4e5b9u;
    return h ^ (h >> 29);
}

static bool was_forgotten(const struct clients *c, uint64_t key, uint64_t value)
{
    uint64_t h = forgotten_hash(key, value), one = h % FORGOTTEN_BITS, two = (h >> 32) % FORGOTTEN_BITS;
    return c->forgotten && c->forgotten[one / 8] >> one % 8 & 1 && c->forgotten[two / 8] >> two % 8 & 1;
}

static void forget(struct clients *c, const struct write *w)
{
    uint64_t h = forgotten_hash(w->key, w->value), one = h % FORGOTTEN_BITS, two = (h >> 32) % FORGOTTEN_BITS;
    c->forgotten[one / 8] |= (uint8_t)(1u << one % 8);
    c->forgotten[two / 8] |= (uint8_t)(1u << two % 8);
}

/* Room for more: the oldest go that were not answered, then the oldest. */
static void writes_drop(struct step *s, struct clients *c)
{
    size_t waiting = 0, gone = 0, kept = 0;
    if (!c->forgotten)
        c->forgotten = calloc(1, FORGOTTEN_BITS / 8);
    if (!c->forgotten) {
        step_out_of_memory(s);
        return;
    }
    for (size_t i = 0; i < c->writes; i++)
        waiting += !c->write[i].answered;
    size_t others = waiting < WRITES_DROPPED ? WRITES_DROPPED - waiting : 0; /* answered ones that have to go, too */
    for (size_t i = 0; i < c->writes; i++) {
        const struct write *w = &c->write[i];
        if (gone < WRITES_DROPPED && (!w->answered || others)) {
            others -= w->answered != 0;
            forget(c, w);
            gone++;
        } else {
            c->write[kept++] = *w;
        }
    }
    c->writes = kept;
}

/* A repetition of a command that is done once leaves what the first left. */
static void write_open(struct step *s, struct clients *c, const struct raft_message *m)
{
    const struct once *o = m->once[0] ? once_find(c, hash(m->once)) : NULL;
    if (!c->write)
        c->write = malloc(WRITES_KEPT * sizeof *c->write);
    if (!c->write) {
        step_out_of_memory(s);
        return;
    }
    if (c->writes == WRITES_KEPT)
        writes_drop(s, c);
    if (c->writes == WRITES_KEPT)
        return;
    uint64_t value = o && o->value ? o->value : m->value, once = m->once[0] ? hash(m->once) : 0;
    c->write[c->writes++] = (struct write){.request = hash(m->request), .key = hash(m->key), .once = once, .value = value,
                                           .asked = s->model->facts};
}

static struct write *write_find(struct clients *c, const struct raft_message *m)
{
    uint64_t request = hash(m->request);
    for (size_t i = c->writes; i-- > 0;) {
        if (c->write[i].request == request)
            return &c->write[i];
    }
    return NULL;
}

/* An acknowledged write takes the place of those of its key that were acknowledged before it was asked for. */
static void write_close(struct step *s, struct clients *c, const struct raft_message *m)
{
    struct write *w = write_find(c, m);
    if (!w)
        return;
    w->answered = m->success ? s->model->facts : 0;
    w->index = m->match;
    w->value = w->value ? w->value : m->value; /* what a count came to, only the answer tells */
    w->at = step_witness(s, RAFT_HOW_ANSWERED, true);
    struct write kept = *w;
    size_t count = 0;
    for (size_t i = 0; i < c->writes; i++) {
        struct write *o = &c->write[i];
        bool superseded = kept.answered && o->key == kept.key && o->answered && o->answered < kept.asked;
        if (kept.once && o->once == kept.once && !o->value)
            o->value = kept.value;
        if (superseded)
            continue;
        if (count != i) /* most often nothing has gone before it */
            c->write[count] = *o;
        count++;
    }
    c->writes = count;
}

struct contact {
    const struct raft_node *node;
    uint64_t since; /* order */
};

static bool contacted(void *context, const char *id)
{
    const struct contact *c = context;
    const struct raft_exchange *x = book_find(&c->node->book, id);
    return strcmp(id, c->node->id) == 0 ||
           (x && x->result_got.at.how != RAFT_HOW_NONE && x->result_got.at.order > c->since &&
            (!x->confirmed || x->confirmed > c->since));
}

/* The read was told a value that an acknowledged write had replaced before it was asked. */
static const struct write *read_is_stale(const struct clients *c, const struct read *r, const struct raft_message *m)
{
    const struct write *due = NULL;
    uint64_t key = hash(r->key);
    for (size_t i = 0; i < c->writes; i++) {
        const struct write *w = &c->write[i];
        if (w->key != key)
            continue;
        if (!w->value || w->value == m->value) /* it may have left any value */
            return NULL;
        if (w->answered && w->answered < r->asked.at.order)
            due = w;
    }
    return was_forgotten(c, key, 0) || was_forgotten(c, key, m->value) ? NULL : due;
}

static void stale_finding(struct step *s, const struct read *r, const struct write *due)
{
    struct raft_change change = {.kind = RAFT_CHANGE_READ, .cluster = s->node->cluster, .other = due->at,
                                 .before = due->index, .witness = step_witness(s, RAFT_HOW_ANSWERED, true),
                                 .now = r->asked.at.sequence};
    raft_properties_check(s->model, &change);
}

/* Where the command of a write that is to be done once was committed again. 0: nowhere. */
static uint64_t committed_again(struct step *s, const struct clients *c, const struct write *w)
{
    const struct once *o = w->once && w->index ? once_find(c, w->once) : NULL;
    if (!o || stands_at(s, o, w->index) != YES)
        return 0;
    for (uint64_t i = w->index + 1; i <= s->node->last && i - w->index < REPEATS_LOOKED_AT; i++) {
        const struct raft_slot *slot = raft_node_slot(s->node, i);
        if (slot && slot->committed.how != RAFT_HOW_NONE && raft_variant_shows(slot->variant, o->command, o->protocol))
            return i;
    }
    return 0;
}

/* A confirmed read is of the latest state. If that is not what the only write left, which was repeated, the repetition was
 * done. */
static bool read_shows_repetition(struct step *s, const struct clients *c, const struct write *due)
{
    uint64_t again = committed_again(s, c, due);
    if (!again)
        return false;
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, s->node->term, again, "once");
    break_text(b, "once", "%s applied index %" PRIu64 ", a repetition of index %" PRIu64
               ", to an effect: a read shows another value than the client was told", s->node->name, again, due->index);
    break_reason(b, &due->at, "answers the command for the first time");
    break_reason(b, &once_find(c, due->once)->again, "is sent the command again");
    break_likely(b, "that the read saw the repetition, and nothing else that spoilt the state, was not seen; marks of the"
                 " state would show it");
    twice_finding(s, &due->at, due->index, again, true);
    return true;
}

/* Whether the node may answer: it leads, has committed an entry of its term, and heard from a majority since it was
 * asked. */
static bool check_read(struct step *s, const struct read *r, bool stale)
{
    struct raft_node *n = s->node;
    const struct raft_members *members = members_at(&n->book, n->last);
    struct contact c = {n, r->asked.at.order};
    bool leads = node_leads(n);
    bool majority = members && members_majority(members->text, contacted, &c);
    if (leads && majority && leader_committed_own(s))
        return true;
    struct raft_break *b = break_add(s, RAFT_T21, RAFT_SPOILS_READ, n->leading, 0, "");
    if (!leads)
        break_text(b, "follower", "%s answered a read of \"%s\" without leading", n->name, r->key);
    else if (!majority)
        break_text(b, "unconfirmed", "%s, leader of term %" PRIu64 ", answered a read of \"%s\" without having heard from a"
                   " majority since it was asked", n->name, n->leading, r->key);
    else
        break_text(b, "own-term", "%s, leader of term %" PRIu64 ", answered a read of \"%s\" before an entry of its term was"
                   " committed", n->name, n->leading, r->key);
    if (b)
        break_reason(b, &r->asked.at, "is asked to read \"%s\"", r->key);
    if (!stale && (!leads || !members))
        break_likely(b, "whether a leader confirmed the read for it was not seen");
    return false;
}

/* The place of the read that this is the answer to; c->reads: none. */
static size_t read_find(const struct step *s, const struct clients *c, const struct raft_message *m)
{
    uint64_t request = hash(m->request);
    size_t i = 0;
    while (i < c->reads && (c->read[i].node != (uint16_t)(s->node - s->model->node) || c->read[i].request != request))
        i++;
    return i;
}

static void read_close(struct step *s, struct clients *c, const struct raft_message *m)
{
    size_t i = read_find(s, c, m);
    if (i == c->reads)
        return;
    struct read r = c->read[i];
    memmove(&c->read[i], &c->read[i + 1], (--c->reads - i) * sizeof *c->read);
    if (!m->success)
        return;
    const struct write *due = read_is_stale(c, &r, m);
    bool confirmed = check_read(s, &r, due != NULL);
    if (due && !(confirmed && read_shows_repetition(s, c, due)))
        stale_finding(s, &r, due);
}

/* When a result that is received was sent: what was sent before a question cannot be an answer to it. */
static void result_passes(struct step *s, struct clients *a, const struct raft_message *m)
{
    if (m->type != RAFT_APPEND_ENTRIES_RESULT && m->type != RAFT_INSTALL_SNAPSHOT_RESULT)
        return;
    if (!a->result)
        a->result = calloc(RESULTS_KEPT, sizeof *a->result);
    struct raft_exchange *x = book_find(&s->node->book, m->from);
    struct result_sent *r = a->result ? &a->result[m->id % RESULTS_KEPT] : NULL;
    if (!r)
        step_out_of_memory(s);
    else if (s->fact->kind == RAFT_FACT_SENT)
        *r = (struct result_sent){m->id, s->model->facts};
    else if (x)
        x->confirmed = m->id && r->id == m->id ? r->order : 0;
}

static void client(struct step *s, struct clients *c)
{
    const struct raft_message *m = s->fact->message;
    bool asks = m->type == RAFT_CLIENT_REQUEST;
    bool at_server = s->fact->kind == (asks ? RAFT_FACT_RECEIVED : RAFT_FACT_SENT);
    if (!at_server || !m->request[0])
        return;
    /* a mark of a result does not say what was asked */
    if (m->read || (!asks && read_find(s, c, m) < c->reads)) {
        asks ? read_open(s, c, m) : read_close(s, c, m);
        return;
    }
    asks ? once_open(s, c, m) : once_close(s, c, m);
    asks ? write_open(s, c, m) : write_close(s, c, m);
}

/* --- the facts --- */

/* The state begins anew at the snapshot: one that was taken of it leaves it as it is. */
static void machine_snapshot(struct step *s, struct clients *c)
{
    struct machine *m = each_of(s, &c->machine, sizeof *m);
    if (m && s->fact->index > m->index)
        *m = (struct machine){s->fact->index, s->fact->entry.digest};
}

static void before(struct step *s, void *state)
{
    const struct raft_fact *f = s->fact;
    bool message = f->kind == RAFT_FACT_SENT || f->kind == RAFT_FACT_RECEIVED;
    if (message && (f->message->type == RAFT_CLIENT_REQUEST || f->message->type == RAFT_CLIENT_RESULT))
        client(s, state);
    else if (message)
        result_passes(s, state, f->message);
    if (f->kind == RAFT_FACT_SNAPSHOT && !f->again)
        machine_snapshot(s, state);
    if (f->kind == RAFT_FACT_APPLY)
        machine_applies(s, state);
}

static void fini(void *state)
{
    struct clients *c = state;
    free(c->once);
    free(c->command);
    free(c->result);
    free(c->read);
    free(c->write);
    free(c->forgotten);
}

const struct raft_rules rules_clients = {
    .name = "clients", .size = sizeof(struct clients), .each = sizeof(struct machine), .forgets = true, .before = before,
    .fini = fini,
};
