/* Adapter for raftkv: what its clients ask and are told. Lines "TAG VERB WORD..." and "TAG ANSWER WORD..."; an answer bears
 * the tag of its request. Such lines are anybody's: they count at processes that are known to be raftkv servers. */
#include "protocol/raftkv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#define REQUESTS_MAX 65536 /* not answered; then all are forgotten */
#define WORD 48
#define WORDS 6
#define LINE_MAX (1u << 20)

struct request {
    uint64_t number;
    bool read;
    char key[WORD];
    char once[48];
};

/* An answer is told from a request by its word; "STAT" is both. */
static const char *const verbs[] = {"PUT", "INCR", "GET", "STAT", "LOG", "DUMP", "TIMES", "ADD", "LEARN", "REMOVE", "TRANSFER",
                                    "SNAPSHOT", "STEP", "OK", "ERR", "VALUE", "NONE"};

static bool is_verb(const uint8_t *word, size_t length, bool whole)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if ((whole ? strlen(verbs[i]) == length : strlen(verbs[i]) > length) && !memcmp(verbs[i], word, length))
            return true;
    return false;
}

/* Text without a blank is not waited for: it may be anybody's, and a tag comes with its verb. */
int raftkv_client_probe(const uint8_t *bytes, size_t length)
{
    size_t tag = 0, end;
    while (tag < length && tag < 24 && bytes[tag] > ' ' && bytes[tag] < 0x7f)
        tag++;
    if (!tag || tag == length || tag == 24 || bytes[tag] != ' ')
        return 0;
    for (end = ++tag; end < length && bytes[end] >= 'A' && bytes[end] <= 'Z';)
        end++;
    if (end == length)
        return is_verb(bytes + tag, end - tag, false) || is_verb(bytes + tag, end - tag, true) ? -1 : 0;
    return (bytes[end] == ' ' || bytes[end] == '\n' || bytes[end] == '\r') && is_verb(bytes + tag, end - tag, true);
}

size_t raftkv_client_frame(const uint8_t *bytes, size_t length)
{
    const uint8_t *end = memchr(bytes, '\n', length);
    return end ? (size_t)(end - bytes) + 1 : length > LINE_MAX ? WAY_FOREIGN : 0;
}

/* --- a line --- */

struct line {
    char word[WORDS][WORD]; /* cut: what matters is shorter */
    int words;
};

static struct line line_split(const uint8_t *p, size_t length)
{
    struct line line = {.words = 0};
    for (size_t i = 0, n; i < length && line.words < WORDS; i += n) {
        for (n = 0; i + n < length && p[i + n] > ' ';)
            n++;
        if (n)
            snprintf(line.word[line.words++], WORD, "%.*s", (int)(n < WORD ? n : WORD), (const char *)p + i);
        else
            n = 1;
    }
    return line;
}

static uint64_t request_key(const struct way *way, const char *tag)
{
    char text[WORD + 24];
    const struct flow_connection *c = way->end ? way->end->connection : NULL;
    int n = snprintf(text, sizeof text, "%" PRIu64 " %s", c ? c->id : 0, tag);
    return map_key(text, (size_t)n);
}

static void requests_forget(struct map *requests)
{
    for (size_t i = 0; i < requests->capacity; i++)
        free(requests->slot[i].value);
    map_fini(requests);
    *requests = (struct map){.count = 0};
}

void raftkv_client_fini(struct raftkv *s)
{
    requests_forget(&s->requests);
}

static void request_keep(struct raftkv *s, const struct way *way, const char *tag, const struct request *request)
{
    uint64_t key = request_key(way, tag);
    struct request *r = malloc(sizeof *r);
    if (s->requests.count >= REQUESTS_MAX)
        requests_forget(&s->requests);
    free(map_remove(&s->requests, key));
    if (!r)
        return;
    *r = *request;
    if (!map_put(&s->requests, key, r))
        free(r);
}

static uint64_t value_digest(const char *value)
{
    return XXH3_64bits(value, strlen(value));
}

/* What the entry of a command will hold; "" for what is not one. */
static void command_text(const struct line *l, char *out, size_t size)
{
    *out = '\0';
    if (!strcmp(l->word[1], "PUT") && l->words == 4)
        snprintf(out, size, "%s=%s", l->word[2], l->word[3]);
    else if (!strcmp(l->word[1], "INCR") && l->words == 5)
        snprintf(out, size, "%s++%s#%s", l->word[2], l->word[3], l->word[4]);
}

static bool is_one_of(const char *word, const char *const *list)
{
    while (*list && strcmp(*list, word))
        list++;
    return *list != NULL;
}

static void request(struct raftkv *s, struct walk *w, struct way *way, const struct line *l, size_t length, const struct flow_at *at)
{
    static const char *const told[] = {"PUT", "INCR", "GET", "ADD", "LEARN", "REMOVE", NULL};
    char command[4 * WORD];
    struct raft_message m = {.type = RAFT_CLIENT_REQUEST, .read = !strcmp(l->word[1], "GET")};
    struct raft_entry entry = {.index = 0};
    struct request r = {.number = ++s->numbered, .read = m.read};
    if (!strcmp(l->word[1], "INCR") && l->words == 5)
        snprintf(r.once, sizeof r.once, "%.20s#%.20s", l->word[3], l->word[4]);
    if (!is_one_of(l->word[1], told))
        return;
    command_text(l, command, sizeof command);
    if (*command || m.read)
        memcpy(r.key, l->word[2], sizeof r.key);
    memcpy(m.key, r.key, sizeof m.key);
    memcpy(m.once, r.once, sizeof m.once);
    snprintf(m.name, sizeof m.name, "%.31s", l->word[1]);
    snprintf(m.request, sizeof m.request, "r%" PRIu64, r.number);
    if (*command) {
        entry_content(&entry, 'c', command, strlen(command));
        m.entry = &entry;
        m.entries = 1;
    }
    if (!strcmp(l->word[1], "PUT"))
        m.value = value_digest(l->word[3]);
    request_keep(s, way, l->word[0], &r);
    walk_message(w, way, at, &m, length);
}

static void result(struct raftkv *s, struct walk *w, struct way *way, const struct line *l, size_t length, const struct flow_at *at)
{
    struct request *r = map_remove(&s->requests, request_key(way, l->word[0]));
    struct raft_message m = {.type = RAFT_CLIENT_RESULT, .success = strcmp(l->word[1], "ERR") != 0};
    if (!r)
        return; /* of a verb that asks for nothing */
    m.read = r->read;
    memcpy(m.key, r->key, sizeof m.key);
    memcpy(m.once, r->once, sizeof m.once);
    snprintf(m.name, sizeof m.name, "%.31s", l->word[1]);
    snprintf(m.request, sizeof m.request, "r%" PRIu64, r->number);
    bool ok = !strcmp(l->word[1], "OK");
    if (ok && l->words > 2)
        m.match = strtoull(l->word[2], NULL, 10);
    if (ok && l->words > 3)
        m.value = value_digest(l->word[3]);
    if (!strcmp(l->word[1], "VALUE"))
        m.value = value_digest(l->words > 2 ? l->word[2] : "");
    free(r);
    walk_message(w, way, at, &m, length);
}

/* --- STAT: what a server says of itself --- */

static bool field(const uint8_t *p, size_t length, const char *name, char out[24])
{
    size_t size = strlen(name), n = 0;
    for (size_t i = 0; i + size < length; i++) {
        if (p[i] != ' ' || i + 1 + size > length || memcmp(p + i + 1, name, size))
            continue;
        for (p += i + 1 + size, length -= i + 1 + size; n < length && n < 23 && p[n] > ' '; n++)
            out[n] = (char)p[n];
        out[n] = '\0';
        return n > 0;
    }
    return false;
}

static uint64_t number(const uint8_t *p, size_t length, const char *name, int base)
{
    char text[24];
    return field(p, length, name, text) ? strtoull(text, NULL, base) : 0;
}

static void stat_answer(struct walk *w, const struct flow_at *at, const uint8_t *p, size_t length)
{
    char id[24], role[24], digest[24];
    struct raft_fact term = {.kind = RAFT_FACT_TERM, .term = number(p, length, "term=", 10)};
    struct raft_fact commit = {.kind = RAFT_FACT_COMMIT, .index = number(p, length, "commit=", 10)};
    struct raft_fact apply = {.kind = RAFT_FACT_APPLY, .index = number(p, length, "applied=", 10)};
    if (!field(p, length, "id=", id) || !field(p, length, "role=", role))
        return;
    walk_node(w, &adapter_raftkv, at, id);
    walk_fact(w, &adapter_raftkv, at, &term);
    if (!strcmp(role, "leader"))
        walk_fact(w, &adapter_raftkv, at, &(struct raft_fact){.kind = RAFT_FACT_ROLE, .term = term.term, .role = 2});
    if (commit.index)
        walk_fact(w, &adapter_raftkv, at, &commit);
    apply.entry = (struct raft_entry){.index = apply.index, .type = '?'};
    if (field(p, length, "digest=", digest))
        apply.entry.digest = raftkv_digest(strtoull(digest, NULL, 16));
    if (apply.index)
        walk_fact(w, &adapter_raftkv, at, &apply);
}

/* --- */

/* The process at this end is a server, or that at the other. */
static bool end_is_server(const struct raftkv *s, const struct way *way, const struct flow_at *at, bool other)
{
    const struct flow_connection *c = way->end ? way->end->connection : NULL;
    const struct flow_end *far = c ? c->end[!way->end->side] : NULL;
    return other ? far && map_get(&s->servers, far->opened.process) : map_get(&s->servers, at->process) != NULL;
}

bool raftkv_client_message(struct raftkv *s, struct walk *w, struct way *way, const uint8_t *bytes, size_t length,
                           const struct flow_at *at, char name[32])
{
    struct line l = line_split(bytes, length < LINE_MAX ? length : LINE_MAX);
    bool server = end_is_server(s, way, at, false);
    if (!server && !end_is_server(s, way, at, true))
        return false; /* another program with such lines */
    if (l.words < 2)
        return true;
    snprintf(name, 32, "%.31s", l.word[1]);
    if (!server)
        return true; /* the server's end says it all */
    if (way->direction == FLOW_RECEIVED)
        request(s, w, way, &l, length, at);
    else if (!strcmp(l.word[1], "STAT"))
        stat_answer(w, at, bytes, length);
    else
        result(s, w, way, &l, length, at);
    return true;
}
