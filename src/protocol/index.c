#include "protocol/index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "protocol/map.h"
#include "protocol/rows.h"
#include "store/redact.h"

#define PENDING_WRITES_MAX 16384 /* of one file, waiting for its fsync */
#define DRAW_BYTES_MAX 64

/* What comes with every command stands in blocks (rows.h), short: names and paths by number, `way` = 2 * connection + side
 * that sends, `synced` the distance to the event that made the write durable. The views are what to query. All sequence
 * numbers are those of the process's own stream; process.event_base turns them into NODE@N. */
static const char index_schema[] =
    "DROP VIEW IF EXISTS message; DROP VIEW IF EXISTS timer; DROP VIEW IF EXISTS draw; DROP VIEW IF EXISTS durable_write;"
    "DROP VIEW IF EXISTS mark; DROP TABLE IF EXISTS connection; DROP TABLE IF EXISTS name; DROP TABLE IF EXISTS path;"
    "DROP TABLE IF EXISTS message_row; DROP TABLE IF EXISTS timer_row; DROP TABLE IF EXISTS draw_row;"
    "DROP TABLE IF EXISTS durable_write_row; DROP TABLE IF EXISTS mark_row; DROP TABLE IF EXISTS mark_text;"
    "DROP TABLE IF EXISTS row_block;" ROWS_SCHEMA
    "CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE path(id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE connection(id INTEGER PRIMARY KEY, a_process INTEGER, b_process INTEGER, a_address TEXT, b_address TEXT,"
    " a_opened INTEGER, b_opened INTEGER, a_closed INTEGER, b_closed INTEGER);"
    "CREATE TABLE draw_row(process INTEGER, sequence INTEGER, name INTEGER, value);"
    "CREATE TABLE mark_text(process INTEGER, sequence INTEGER, text TEXT, PRIMARY KEY(process, sequence)) WITHOUT ROWID;"
    "CREATE VIEW message AS SELECT m.rowid AS id, m.way / 2 AS connection,"
    " CASE WHEN m.sent IS NULL THEN NULL WHEN m.way % 2 THEN c.b_process ELSE c.a_process END AS sender_process,"
    " m.sent AS sender_sequence,"
    " CASE WHEN m.received IS NULL THEN NULL WHEN m.way % 2 THEN c.a_process ELSE c.b_process END AS receiver_process,"
    " m.received AS receiver_sequence, m.length AS length, n.text AS type"
    " FROM message_rows m JOIN name n ON n.id = m.name LEFT JOIN connection c ON c.id = m.way / 2;"
    "CREATE VIEW timer AS SELECT process, sequence, deadline, n.text AS kind, expired FROM timer_rows JOIN name n ON n.id = name;"
    "CREATE VIEW draw AS SELECT process, sequence, n.text AS source, value FROM draw_row JOIN name n ON n.id = name;"
    "CREATE VIEW durable_write AS SELECT process, sequence, p.text AS path, offset, length, sequence + synced AS sync_sequence"
    " FROM durable_write_rows JOIN path p ON p.id = path;"
    "CREATE VIEW mark AS SELECT m.process AS process, m.sequence AS sequence, kind, a, b, c, text FROM mark_rows m"
    " LEFT JOIN mark_text t ON t.process = m.process AND t.sequence = m.sequence;";

enum { INSERT_NAME, INSERT_PATH, INSERT_CONNECTION, INSERT_DRAW, INSERT_MARK_TEXT, PUT_A, PUT_B, CLOSE_A,
       CLOSE_B, STATEMENTS };

static const char *const statements[STATEMENTS] = {
    [INSERT_NAME] = "INSERT INTO name VALUES(?, ?)",
    [INSERT_PATH] = "INSERT INTO path VALUES(?, ?)",
    [INSERT_CONNECTION] = "INSERT OR IGNORE INTO connection(id) VALUES(?)",
    [INSERT_DRAW] = "INSERT INTO draw_row VALUES(?, ?, ?, ?)",
    [INSERT_MARK_TEXT] = "INSERT INTO mark_text VALUES(?, ?, ?)",
    [PUT_A] = "UPDATE connection SET a_process = ?2, a_opened = ?3, a_address = ?4, b_address = COALESCE(b_address, ?5) WHERE id = ?1",
    [PUT_B] = "UPDATE connection SET b_process = ?2, b_opened = ?3, b_address = ?4, a_address = COALESCE(a_address, ?5) WHERE id = ?1",
    [CLOSE_A] = "UPDATE connection SET a_process = ?2, a_closed = ?3 WHERE id = ?1",
    [CLOSE_B] = "UPDATE connection SET b_process = ?2, b_closed = ?3 WHERE id = ?1",
};

struct pending_write {
    uint32_t process;
    uint64_t sequence, offset, length, number;
};

struct index_file {
    struct pending_write *write;
    size_t count, capacity;
};

struct index {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENTS];
    struct rows_writer *rows[ROWS_KINDS];
    struct walk *walk;
    struct map names, paths; /* key of the text to its number */
    bool failed;
};

/* --- statements --- */

static bool index_step(struct index *x, int which)
{
    sqlite3_stmt *s = x->statement[which];
    x->failed |= sqlite3_step(s) != SQLITE_DONE;
    sqlite3_reset(s);
    return !x->failed;
}

static void bind(struct index *x, int which, int column, uint64_t value)
{
    sqlite3_bind_int64(x->statement[which], column, (sqlite3_int64)value);
}

static void bind_text(struct index *x, int which, int column, const char *text, size_t length)
{
    sqlite3_bind_text(x->statement[which], column, text, (int)length, SQLITE_TRANSIENT);
}

/* The number of a word or path, given out in order of appearance: the most frequent ones come first and are short. */
static int64_t index_number(struct index *x, struct map *m, int insert, const char *text, size_t length)
{
    uint64_t key = map_key(text, length);
    uintptr_t known = (uintptr_t)map_get(m, key);
    if (known)
        return (int64_t)known - 1;
    int64_t number = (int64_t)m->count;
    if (!map_put(m, key, (void *)(uintptr_t)(number + 1))) {
        x->failed = true;
        return 0;
    }
    bind(x, insert, 1, (uint64_t)number);
    bind_text(x, insert, 2, text, length);
    index_step(x, insert);
    return number;
}

static int64_t index_name(struct index *x, const char *text)
{
    return index_number(x, &x->names, INSERT_NAME, text, strlen(text));
}

/* --- connections and messages --- */

static struct index_link *link_of(struct index *x, struct flow_connection *c)
{
    void **user = walk_connection_user(c);
    if (user && !*user && (*user = calloc(1, sizeof(struct index_link))))
        ((struct index_link *)*user)->id = c->id;
    x->failed |= !user || !*user;
    return x->failed ? NULL : *user;
}

static void on_opened(void *context, struct flow_connection *c, struct flow_end *end)
{
    struct index *x = context;
    struct index_link *l = link_of(x, c);
    char local[FLOW_ADDRESS_MAX + 16], peer[FLOW_ADDRESS_MAX + 16];
    int put = end->side == FLOW_CONNECTED ? PUT_A : PUT_B;
    if (!l)
        return;
    l->paired = c->paired;
    l->process[end->side] = end->opened.process;
    flow_address_text(&end->local, local, sizeof local);
    flow_address_text(&end->peer, peer, sizeof peer);
    bind(x, INSERT_CONNECTION, 1, c->id);
    index_step(x, INSERT_CONNECTION);
    bind(x, put, 1, c->id);
    bind(x, put, 2, end->opened.process);
    bind(x, put, 3, end->opened.sequence);
    bind_text(x, put, 4, local, strlen(local));
    bind_text(x, put, 5, peer, strlen(peer));
    index_step(x, put);
}

static void on_closed(void *context, struct flow_end *end, const struct flow_at *at)
{
    struct index *x = context;
    struct index_link *l = link_of(x, end->connection);
    int close = end->side == FLOW_CONNECTED ? CLOSE_A : CLOSE_B;
    if (!l)
        return;
    bind(x, close, 1, end->connection->id);
    bind(x, close, 2, l->process[end->side]);
    if (at->process)
        bind(x, close, 3, at->sequence);
    else
        sqlite3_bind_null(x->statement[close], 3); /* still open at the end of the run, or killed */
    index_step(x, close);
}

static bool message_row(void *context, const struct index_link *l, int side, const struct index_part *sent,
                        const struct index_part *received)
{
    struct index *x = context;
    const struct index_part *part = sent ? sent : received;
    struct row row = {.null = (uint8_t)((sent ? 0 : 1 << 1) | (received ? 0 : 1 << 2))};
    row.value[0] = (int64_t)(2 * l->id + (uint64_t)side);
    row.value[1] = sent ? (int64_t)sent->sequence : 0;
    row.value[2] = received ? (int64_t)received->sequence : 0;
    row.value[3] = (int64_t)part->length;
    row.value[4] = part->name;
    return rows_writer_add(x->rows[ROWS_MESSAGE], &row);
}

static void on_message(void *context, struct flow_end *end, enum flow_way way, uint64_t end_offset, size_t length,
                       const char *name, const struct flow_at *at)
{
    struct index *x = context;
    struct index_link *l = link_of(x, end->connection);
    if (!l)
        return;
    struct index_part part = {end_offset, length, at->sequence, index_name(x, name)};
    l->process[end->side] = at->process; /* who accepts and who talks may be parent and child */
    bool good = way == FLOW_SENT ? index_link_sent(l, end->side, &part, message_row, x)
                                 : index_link_received(l, !end->side, &part, message_row, x);
    x->failed |= !good;
}

static void on_freed(void *context, struct flow_connection *c, void *user)
{
    struct index *x = context;
    (void)c;
    if (user)
        x->failed |= !index_link_finish(user, message_row, x);
    free(user);
}

/* --- files --- */

static struct index_file *file_of(struct index *x, struct flow_file *file)
{
    void **user = walk_file_user(x->walk, file);
    if (user && !*user)
        *user = calloc(1, sizeof(struct index_file));
    x->failed |= !user || !*user;
    return x->failed ? NULL : *user;
}

static void write_row(struct index *x, const char *path, const struct pending_write *p, uint64_t synced)
{
    const struct row row = {.value = {p->process, (int64_t)p->sequence,
                                      index_number(x, &x->paths, INSERT_PATH, path, strlen(path)), (int64_t)p->offset,
                                      (int64_t)p->length, (int64_t)(synced - p->sequence)}};
    x->failed |= !rows_writer_add(x->rows[ROWS_DURABLE_WRITE], &row);
}

static bool pending_push(struct index_file *f, const struct pending_write *p)
{
    if (f->count == PENDING_WRITES_MAX) { /* never synced, as logs for people are not: forget the oldest half */
        f->count = PENDING_WRITES_MAX / 2;
        memmove(f->write, f->write + f->count, f->count * sizeof *f->write);
    }
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 8;
        struct pending_write *grown = realloc(f->write, capacity * sizeof *grown);
        if (!grown)
            return false;
        f->write = grown;
        f->capacity = capacity;
    }
    f->write[f->count++] = *p;
    return true;
}

static void on_written(void *context, const struct flow_write *w)
{
    struct index *x = context;
    struct index_file *f = file_of(x, w->file);
    struct pending_write p = {w->done.process, w->begun.sequence, w->offset, w->length, w->number};
    if (f && w->durable)
        write_row(x, w->file->path, &p, w->done.sequence);
    else if (f)
        x->failed |= !pending_push(f, &p);
}

static void on_synced(void *context, struct flow_file *file, uint64_t number, const struct flow_at *at)
{
    struct index *x = context;
    struct index_file *f = file->writes ? file_of(x, file) : NULL;
    size_t kept = 0;
    for (size_t i = 0; f && i < f->count; i++) {
        struct pending_write *p = &f->write[i];
        if (p->number > number)
            f->write[kept++] = *p;
        else if (p->process == at->process) /* sequence numbers of two processes cannot be told as a distance */
            write_row(x, file->path, p, at->sequence);
    }
    if (f)
        f->count = kept;
}

static void on_file_freed(void *context, struct flow_file *file)
{
    struct index *x = context;
    void **user = walk_file_user(x->walk, file);
    struct index_file *f = user ? *user : NULL;
    if (!f)
        return;
    free(f->write);
    free(f);
    *user = NULL;
}

/* --- draws and timers --- */

static void draw_row(struct index *x, const struct flow_at *at, const char *source, struct trace_bytes bytes, int64_t value)
{
    bind(x, INSERT_DRAW, 1, at->process);
    bind(x, INSERT_DRAW, 2, at->sequence);
    bind(x, INSERT_DRAW, 3, (uint64_t)index_name(x, source));
    if (bytes.data)
        sqlite3_bind_blob(x->statement[INSERT_DRAW], 4, bytes.data,
                          (int)(bytes.length < DRAW_BYTES_MAX ? bytes.length : DRAW_BYTES_MAX), SQLITE_TRANSIENT);
    else
        bind(x, INSERT_DRAW, 4, (uint64_t)value);
    index_step(x, INSERT_DRAW);
}

static void timer_row(struct index *x, const struct flow_at *at, uint64_t deadline, const char *kind, bool expired)
{
    const struct row row = {.value = {at->process, (int64_t)at->sequence, (int64_t)deadline, index_name(x, kind), expired}};
    x->failed |= !rows_writer_add(x->rows[ROWS_TIMER], &row);
}

static void on_file_read(void *context, const char *path, struct trace_bytes bytes, const struct flow_at *at)
{
    struct index *x = context;
    if (!strcmp(path, "timerfd"))
        timer_row(x, at, at->time, "timerfd", true);
    else if (!strcmp(path, "/dev/urandom") || !strcmp(path, "/dev/random"))
        draw_row(x, at, path, bytes, 0);
}

static void field_text(const struct trace_event *event, int i, char *out, size_t size)
{
    size_t length = event->field_bytes[i].data ? event->field_bytes[i].length : 0;
    length = length < size ? length : size - 1;
    if (length)
        memcpy(out, event->field_bytes[i].data, length);
    out[length] = '\0';
}

static void on_draw(struct index *x, const struct trace_event *event, const struct flow_at *at)
{
    char source[32];
    field_text(event, 0, source, sizeof source);
    draw_row(x, at, source, event->field_bytes[1], event->field[1]);
}

static void on_timer(struct index *x, const struct trace_event *event, const struct flow_at *at)
{
    char kind[128];
    field_text(event, 0, kind, 48);
    size_t n = strlen(kind);
    kind[n] = ' ';
    field_text(event, 3, kind + n + 1, sizeof kind - n - 1);
    if (!kind[n + 1])
        kind[n] = '\0';
    timer_row(x, at, at->time + (uint64_t)event->field[1], kind, false);
}

static void on_timerfd(struct index *x, const struct trace_event *event, const struct flow_at *at)
{
    struct trace_bytes spec = event->input[2]; /* struct itimerspec: interval, value */
    int64_t value[4];
    if (event->result != 0 || !spec.data || spec.length < sizeof value)
        return;
    memcpy(value, spec.data, sizeof value);
    uint64_t ns = (uint64_t)value[2] * 1000000000u + (uint64_t)value[3];
    if (ns)
        timer_row(x, at, event->argument[1] & 1 ? ns : at->time + ns, "timerfd", false);
}

static bool bytes_are_zero(struct trace_bytes b)
{
    for (size_t i = 0; i < b.length; i++)
        if (b.data[i])
            return false;
    return b.data != NULL;
}

/* A wait that came back because its time was up; a look without waiting (timeout 0) is none. */
static bool wait_expired(const struct trace_event *event)
{
    if (event->result || !event->complete)
        return false;
    switch (event->code) {
    case SYS_poll: return event->argument[2] > 0;
    case SYS_epoll_wait: case SYS_epoll_pwait: return event->argument[3] > 0;
    case SYS_ppoll: return !bytes_are_zero(event->input[2]);
    case SYS_epoll_pwait2: return !bytes_are_zero(event->input[3]);
    case SYS_select: case SYS_pselect6: return !bytes_are_zero(event->input[4]);
    case SYS_nanosleep: case SYS_clock_nanosleep: return true;
    default: return false;
    }
}

static void on_mark(struct index *x, const struct trace_event *event, const struct flow_at *at)
{
    const struct row row = {.value = {at->process, (int64_t)at->sequence, event->field[0], event->field[1], event->field[2],
                                      event->field[3]}};
    x->failed |= !rows_writer_add(x->rows[ROWS_MARK], &row);
    if (!event->field_bytes[4].data || !event->field_bytes[4].length)
        return;
    bind(x, INSERT_MARK_TEXT, 1, at->process);
    bind(x, INSERT_MARK_TEXT, 2, at->sequence);
    bind_text(x, INSERT_MARK_TEXT, 3, (const char *)event->field_bytes[4].data, event->field_bytes[4].length);
    index_step(x, INSERT_MARK_TEXT);
}

static void index_named(struct index *x, const struct trace_event *event, const struct flow_at *at)
{
    switch (event->code) {
    case TRACE_DRAW: on_draw(x, event, at); break;
    case TRACE_TIMER: on_timer(x, event, at); break;
    case TRACE_MARK: on_mark(x, event, at); break;
    case SYS_timerfd_settime: on_timerfd(x, event, at); break;
    case SYS_getrandom:
        if (event->result > 0)
            draw_row(x, at, "getrandom", event->output[0], 0);
        break;
    default:
        if (event->code >= 0 && wait_expired(event))
            timer_row(x, at, at->time, trace_code_name(event->code), true);
        break;
    }
}

/* --- the pass --- */

static bool index_error(struct index *x, struct drd_error *e)
{
    int code = sqlite3_errcode(x->db);
    return error_set(e, DRD_EXIT_FATAL, "index the run: %s",
                     code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW ? "out of memory" : sqlite3_errmsg(x->db));
}

struct index *index_create(sqlite3 *db, struct drd_error *e)
{
    struct index *x = calloc(1, sizeof *x);
    const struct walk_listener listener = {
        .context = x, .message = on_message, .opened = on_opened, .closed = on_closed, .freed = on_freed, .written = on_written,
        .synced = on_synced, .file_freed = on_file_freed, .file_read = on_file_read, .sent_only = true,
    };
    if (!x) {
        error_set(e, DRD_EXIT_FATAL, "out of memory");
        return NULL;
    }
    x->db = db;
    bool good = (x->walk = walk_create(&listener)) && rows_register(db) && sqlite3_exec(db, index_schema, NULL, NULL, NULL) == SQLITE_OK;
    for (int i = 0; i < STATEMENTS && good; i++)
        good = sqlite3_prepare_v2(db, statements[i], -1, &x->statement[i], NULL) == SQLITE_OK;
    for (int i = 0; i < ROWS_KINDS && good; i++)
        good = (x->rows[i] = rows_writer_create(db, i)) != NULL;
    if (good)
        return x;
    index_error(x, e);
    index_destroy(x);
    return NULL;
}

bool index_event(struct index *x, const struct trace_event *event, struct drd_error *e)
{
    struct flow_at at = flow_at(event);
    if (walk_wants(event->code) && !walk_event(x->walk, event))
        x->failed = true;
    index_named(x, event, &at);
    return !x->failed || index_error(x, e);
}

bool index_finish(struct index *x, struct drd_error *e)
{
    walk_destroy(x->walk);
    x->walk = NULL;
    for (int i = 0; i < ROWS_KINDS; i++)
        x->failed |= !rows_writer_flush(x->rows[i]);
    return !x->failed || index_error(x, e);
}

void index_destroy(struct index *x)
{
    if (!x)
        return;
    walk_destroy(x->walk);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(x->statement[i]);
    for (int i = 0; i < ROWS_KINDS; i++)
        rows_writer_destroy(x->rows[i]);
    map_fini(&x->names);
    map_fini(&x->paths);
    free(x);
}

static uint64_t events_total(struct store *s)
{
    struct store_process *p = NULL;
    size_t count = 0;
    uint64_t total = 0;
    if (!store_processes(s, &p, &count, NULL))
        return 0;
    for (size_t i = 0; i < count; i++) {
        total += p[i].events;
        store_process_fini(&p[i]);
    }
    free(p);
    return total;
}

static bool index_run(struct store *s, struct index *x, void (*progress)(void *context, uint64_t done, uint64_t total),
                      void *context, struct drd_error *e)
{
    const uint64_t step = 1 << 16;
    struct timeline *t = timeline_open(s, e);
    struct trace_event event;
    uint64_t done = 0, total = progress ? events_total(s) : 0;
    int more = t ? 1 : -1;
    while (more > 0 && (more = timeline_next(t, &event, e)) > 0) {
        if (!index_event(x, &event, e))
            more = -1;
        if (progress && ++done % step == 0)
            progress(context, done, total);
    }
    timeline_close(t);
    return more == 0 && index_finish(x, e);
}

bool protocol_index(struct store *s, void (*progress)(void *context, uint64_t done, uint64_t total), void *context,
                    struct drd_error *e)
{
    char version[16];
    if (!rows_register(store_database(s)))
        return error_set(e, DRD_EXIT_FATAL, "index the run: %s", sqlite3_errmsg(store_database(s)));
    if (store_fact(s, "index_version", version, sizeof version) && (!strcmp(version, INDEX_VERSION) || redact_is(s)))
        return true; /* of a redacted run they cannot be made anew */
    if (!store_begin(s, e))
        return false;
    struct index *x = index_create(store_database(s), e);
    bool good = x && index_run(s, x, progress, context, e);
    index_destroy(x);
    if (good && store_fact_set(s, "index_version", INDEX_VERSION, e))
        return store_commit(s, e);
    sqlite3_exec(store_database(s), "ROLLBACK", NULL, NULL, NULL);
    return false;
}
