/* A node of a protocol that DRD has never heard of, and cannot read: scrambled bytes, a connection for every message, nothing
 * on disk. What DRD knows of it, it knows from marks. docs/marks.md explains it; tests/cluster/marked.sh runs it.
 *
 *   marked serve PORT ID COUNT [careless]   a node, at PORT + ID of 127.0.0.1; careless: it votes for anybody
 *   marked ask PORT ID COMMAND              one command for it; prints the answer, waits ten seconds for it
 *
 * Commands: ping; deaf, hear (do not read what other nodes say, do); campaign (answers when it leads); put WORD (answers when
 * it is applied); wait INDEX (answers when that is applied); stop. Nothing happens but by command: no timers. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <drd/drd.h>

enum { NODES_MAX = 9, LOG_MAX = 1000, WORD = 32 };
enum kind { COMMAND, ANSWER, ASK_VOTE, VOTE, APPEND, APPENDED, REFUSED };

struct entry {
    uint64_t term;
    char word[WORD];
};

struct message {
    uint64_t kind, from, term;
    uint64_t index, previous_term; /* ASK_VOTE: of the last entry; APPEND: of the entry before; APPENDED: it is there */
    uint64_t commit;
    struct entry entry;            /* APPEND: one at a time, term 0: none */
    char word[WORD];               /* COMMAND, ANSWER */
};

static struct {
    uint64_t id, count, term, vote, commit, applied, state;
    int role;
    bool careless, deaf, voted[NODES_MAX + 1];
    struct entry log[LOG_MAX]; /* from index 1 */
    uint64_t last, there[NODES_MAX + 1];
    uint64_t port; /* node ID listens on port + ID */
    int waiting; /* connection of the client that is answered when `wanted` is applied, or when this node leads (0) */
    uint64_t wanted;
} node;

/* --- messages --- */

static struct sockaddr_in address(uint64_t id)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(node.port + id))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void scramble(void *data, size_t length)
{
    for (uint8_t *p = data, key = 0x5a; length--; key = (uint8_t)(key * 5 + 3))
        *p++ ^= key;
}

static bool put_message(int fd, struct message m)
{
    scramble(&m, sizeof m);
    return send(fd, &m, sizeof m, MSG_NOSIGNAL) == (ssize_t)sizeof m;
}

static bool get_message(int fd, struct message *m)
{
    if (recv(fd, m, sizeof *m, MSG_WAITALL) != (ssize_t)sizeof *m)
        return false;
    scramble(m, sizeof *m);
    m->word[WORD - 1] = m->entry.word[WORD - 1] = 0;
    return true;
}

static int call(uint64_t id)
{
    struct sockaddr_in to = address(id);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static void tell(uint64_t to, struct message m)
{
    int fd = call(to);
    m.from = node.id;
    m.term = node.term;
    if (fd >= 0) { /* nobody there: the message is lost */
        put_message(fd, m);
        close(fd);
    }
}

static void answer(int client, const char *words, uint64_t number)
{
    struct message m = {.kind = ANSWER, .from = node.id, .index = number};
    snprintf(m.word, sizeof m.word, "%s", words);
    put_message(client, m);
    close(client);
}

/* --- the state, and the marks that state it --- */

static void term_set(uint64_t term)
{
    node.term = term;
    node.vote = 0;
    node.role = DRD_FOLLOWER;
    drd_term(term);
    drd_role(term, DRD_FOLLOWER);
}

static void vote_set(uint64_t candidate)
{
    node.vote = candidate;
    drd_vote(node.term, candidate);
}

static void log_append(uint64_t index, const struct entry *e)
{
    node.log[index] = *e;
    node.last = index;
    drd_append_entry(index, e->term, e->word, strlen(e->word));
}

static void commit_set(uint64_t commit)
{
    if (commit <= node.commit)
        return;
    node.commit = commit;
    drd_commit(commit);
    while (node.applied < commit) {
        const struct entry *e = &node.log[++node.applied];
        node.state = node.state * 31 + drd_digest(e->word, strlen(e->word));
        drd_apply(node.applied, e->term, node.state);
    }
    if (node.waiting && node.wanted && node.applied >= node.wanted) {
        answer(node.waiting, "applied", node.wanted);
        node.waiting = 0;
    }
}

/* --- what a leader does --- */

static void replicate(uint64_t to)
{
    uint64_t next = node.there[to] + 1;
    struct message m = {.kind = APPEND, .index = next - 1, .previous_term = node.log[next - 1].term, .commit = node.commit};
    if (next <= node.last)
        m.entry = node.log[next];
    tell(to, m);
}

static void lead(void)
{
    node.role = DRD_LEADER;
    drd_role(node.term, DRD_LEADER);
    for (uint64_t i = 1; i <= node.count; i++)
        node.there[i] = node.last; /* an optimist: REFUSED takes it back */
    if (node.waiting && !node.wanted) {
        answer(node.waiting, "leads", node.term);
        node.waiting = 0;
    }
}

static uint64_t majority_has(void)
{
    for (uint64_t index = node.last; index; index--) {
        uint64_t have = 1;
        for (uint64_t i = 1; i <= node.count; i++)
            have += i != node.id && node.there[i] >= index;
        if (2 * have > node.count)
            return index;
    }
    return 0;
}

static void appended(const struct message *m)
{
    if (node.role != DRD_LEADER || m->term != node.term)
        return;
    bool news = m->kind == REFUSED || m->index > node.there[m->from];
    node.there[m->from] = m->kind == REFUSED ? m->index : m->index > node.there[m->from] ? m->index : node.there[m->from];
    uint64_t index = majority_has(), before = node.commit;
    if (m->kind == APPENDED && node.log[index].term == node.term)
        commit_set(index);
    for (uint64_t i = 1; i <= node.count; i++)
        if (i != node.id && (node.commit > before || (i == m->from && news && node.there[i] < node.last)))
            replicate(i);
}

/* --- what a follower does --- */

static void ask_vote(const struct message *m)
{
    uint64_t my_term = node.log[node.last].term;
    bool current = m->previous_term > my_term || (m->previous_term == my_term && m->index >= node.last);
    if (m->term < node.term || (node.vote && node.vote != m->from) || !(current || node.careless))
        return;
    vote_set(m->from);
    tell(m->from, (struct message){.kind = VOTE});
}

static void voted(const struct message *m)
{
    unsigned votes = 1;
    if (node.role != DRD_CANDIDATE || m->term != node.term)
        return;
    node.voted[m->from] = true;
    for (uint64_t i = 1; i <= node.count; i++)
        votes += i != node.id && node.voted[i];
    if (2 * votes > node.count)
        lead();
}

static void append(const struct message *m)
{
    uint64_t index = m->index;
    if (m->term < node.term || index >= LOG_MAX - 1)
        return;
    if (index > node.last || node.log[index].term != m->previous_term) {
        uint64_t back = index > node.last ? node.last : index - 1;
        tell(m->from, (struct message){.kind = REFUSED, .index = back});
        return;
    }
    if (m->entry.term && (++index > node.last || node.log[index].term != m->entry.term)) {
        if (index <= node.last)
            drd_truncate(index - 1);
        log_append(index, &m->entry);
    }
    tell(m->from, (struct message){.kind = APPENDED, .index = index});
    commit_set(m->commit < index ? m->commit : index);
}

/* --- commands --- */

static void campaign(void)
{
    term_set(node.term + 1);
    vote_set(node.id);
    node.role = DRD_CANDIDATE;
    drd_role(node.term, DRD_CANDIDATE);
    memset(node.voted, 0, sizeof node.voted);
    for (uint64_t i = 1; i <= node.count; i++)
        if (i != node.id)
            tell(i, (struct message){.kind = ASK_VOTE, .index = node.last, .previous_term = node.log[node.last].term});
}

static void put(const char *word)
{
    struct entry e = {.term = node.term};
    snprintf(e.word, sizeof e.word, "%s", word);
    log_append(node.last + 1, &e);
    for (uint64_t i = 1; i <= node.count; i++)
        if (i != node.id)
            replicate(i);
}

static void wait_for(int client, uint64_t wanted)
{
    node.waiting = client;
    node.wanted = wanted;
    if (wanted && node.applied >= wanted) {
        answer(client, "applied", wanted);
        node.waiting = 0;
    }
}

static void command(const char *word, int client)
{
    bool put_word = !strncmp(word, "put ", 4);
    if (!strcmp(word, "campaign")) {
        wait_for(client, 0);
        campaign();
    } else if (put_word && node.role == DRD_LEADER && node.last < LOG_MAX - 1) {
        wait_for(client, node.last + 1);
        put(word + 4);
    } else if (!strncmp(word, "wait ", 5)) {
        wait_for(client, strtoull(word + 5, NULL, 10));
    } else {
        if (!strcmp(word, "deaf") || !strcmp(word, "hear"))
            node.deaf = *word == 'd';
        answer(client, put_word ? "does not lead" : "done", 0);
    }
}

/* --- the loop --- */

static void heard(const struct message *m)
{
    if (node.deaf || m->from < 1 || m->from > node.count)
        return;
    if (m->term > node.term)
        term_set(m->term);
    switch (m->kind) {
    case ASK_VOTE: ask_vote(m); break;
    case VOTE: voted(m); break;
    case APPEND: append(m); break;
    case APPENDED: case REFUSED: appended(m); break;
    }
}

static int serve(uint64_t id, uint64_t count, bool careless)
{
    struct sockaddr_in own = address(id);
    struct message m;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (!id || id > count || count > NODES_MAX || bind(listener, (struct sockaddr *)&own, sizeof own) || listen(listener, 100))
        return 2;
    node.id = id;
    node.count = count;
    node.careless = careless;
    drd_node(id);
    term_set(0);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        bool good = get_message(fd, &m), last = good && m.kind == COMMAND && !strcmp(m.word, "stop");
        if (good && m.kind == COMMAND) {
            command(m.word, fd);
            if (last)
                return 0;
            continue;
        }
        close(fd);
        if (good)
            heard(&m);
    }
    return 1;
}

static int ask(uint64_t id, const char *words)
{
    struct message m = {.kind = COMMAND};
    struct timeval patience = {.tv_sec = 10};
    int fd = call(id);
    snprintf(m.word, sizeof m.word, "%s", words);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (fd < 0 || !put_message(fd, m) || !get_message(fd, &m))
        return fprintf(stderr, "marked: no answer from %d to '%s'\n", (int)id, words), 1;
    printf("%d: %s: %s %d\n", (int)id, words, m.word, (int)m.index);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: marked serve PORT ID COUNT [careless] | ask PORT ID COMMAND\n");
        return 2;
    }
    uint64_t id = strtoull(argv[3], NULL, 10);
    node.port = strtoull(argv[2], NULL, 10);
    if (!strcmp(argv[1], "ask"))
        return ask(id, argv[4]);
    return serve(id, strtoull(argv[4], NULL, 10), argc > 5 && !strcmp(argv[5], "careless"));
}
