/* Where a planted mistake acted: a node of tests/nodes/raftkv that makes one states the mark "bug ID".
 *
 *   turn RUN ID           a line for each such mark: NODE MARK FIRST LAST
 *   turn RUN ID EVENT     the same; exit 0 only if EVENT lies in one of these turns
 *
 * FIRST and LAST are the turn of the node's event loop in which the mark stands: from the end of the wait before it (what
 * woke the node belongs to the turn) to the last event before the next wait. Exit 1: no such mark, or EVENT lies outside;
 * 2: the run cannot be read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "drd/drd.h"
#include "store/store.h"

struct question {
    char mark[64];
    uint32_t process; /* of EVENT; 0: none was given */
    uint64_t sequence;
    unsigned acts;
    bool inside;
};

/* The turn that is being read: the marks of a thread between two of its waits. Other threads have no part in the loop. */
struct turn {
    uint64_t first, mark[64];
    unsigned marks;
};

static bool is_wait(int32_t call)
{
    return call == SYS_epoll_wait || call == SYS_epoll_pwait || call == SYS_poll || call == SYS_ppoll || call == SYS_select ||
           call == SYS_pselect6;
}

static bool is_act(const struct trace_event *event, const char *mark)
{
    if (event->code != TRACE_MARK || event->field[0] != DRD_MARK_TEXT)
        return false;
    struct trace_bytes text = event->field_bytes[4];
    return text.data && text.length == strlen(mark) && !memcmp(text.data, mark, text.length);
}

static void turn_end(struct turn *turn, const struct store_process *p, uint64_t next, struct question *q)
{
    for (unsigned i = 0; i < turn->marks; i++) {
        char mark[128], first[128], last[128];
        event_name(p, turn->mark[i], mark, sizeof mark);
        event_name(p, turn->first, first, sizeof first);
        event_name(p, next - 1, last, sizeof last);
        printf("%s %s %s %s\n", p->node, mark, first, last);
    }
    q->acts += turn->marks;
    if (turn->marks && q->process == p->number && q->sequence >= turn->first && q->sequence < next)
        q->inside = true;
    *turn = (struct turn){.first = next};
}

static bool read_process(struct store *s, const struct store_process *p, struct question *q, struct drd_error *e)
{
    struct turn turn = {0};
    struct trace_event event;
    uint64_t next = 0;
    int more = -1;
    struct stream *stream = stream_open(s, p->number, e);
    while (stream && (more = stream_next(stream, &event, e)) > 0) {
        if (event.thread == 0 && is_wait(event.call))
            turn_end(&turn, p, event.sequence, q);
        if (is_act(&event, q->mark) && turn.marks < sizeof turn.mark / sizeof *turn.mark)
            turn.mark[turn.marks++] = event.sequence;
        next = event.sequence + 1;
    }
    turn_end(&turn, p, next, q);
    stream_close(stream);
    return more == 0;
}

static bool read_run(struct store *s, struct question *q, struct drd_error *e)
{
    struct store_process *process;
    size_t count;
    bool ok = true;
    if (!store_processes(s, &process, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        ok = ok && read_process(s, &process[i], q, e);
        store_process_fini(&process[i]);
    }
    free(process);
    return ok;
}

int main(int argc, char **argv)
{
    struct drd_error e = {0};
    struct question q = {0};
    if (argc < 3) {
        fputs("usage: turn RUN ID [EVENT]\n", stderr);
        return 2;
    }
    snprintf(q.mark, sizeof q.mark, "bug %s", argv[2]);
    struct store *s = store_open(argv[1], STORE_READ, &e);
    bool ok = s && (argc < 4 || event_find(s, argv[3], &q.process, &q.sequence, &e)) && read_run(s, &q, &e);
    store_close(s);
    if (!ok) {
        fprintf(stderr, "turn: %s\n", e.message);
        return 2;
    }
    return argc < 4 ? !q.acts : !q.inside;
}
