#include "cli/diff_with.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run_view.h"
#include "diff/meaning.h"
#include "record/launch.h"
#include "replay/frames.h"
#include "replay/manifest.h"
#include "replay/replay.h"
#include "trace/names.h"
#include "trace/reader.h"
#include "util/json.h"
#include "util/text.h"

#define MADE_MOST (8u << 20) /* bytes of a record */
#define FRAMES_SHOWN 5

/* Where one process departs. */
struct departure {
    const struct store_process *process; /* NULL: it does not */
    struct replay_result result;
    uint64_t time;
    struct replay_frame frame[FRAMES_MAX];
    size_t frames;
    uint8_t *made; /* what it did, as a record; NULL: not known */
    size_t length;
    char note[256];
    struct diff_meaning recorded, meant;
};

struct with {
    struct run_view view;
    char binary[PATH_MAX], shim[PATH_MAX];
    const char *base;     /* of its name */
    const char *node;     /* "" all */
    bool *wanted;
    size_t processes;     /* re-driven, */
    uint64_t events;      /* and of them */
    uint64_t same;        /* of these: other bytes, but the same meaning */
    struct diff_follow *follow; /* of the process at hand; NULL: not needed so far */
    struct drd_error error;     /* of following it */
    struct departure now, first;
};

static void made_forget(struct departure *d)
{
    free(d->made);
    d->made = NULL;
    d->length = 0;
}

static void departure_fini(struct departure *d)
{
    free(d->made);
    *d = (struct departure){.length = 0};
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* --- which processes --- */

/* Without DRD_NODE a process is called after its program, "sh#3". */
static bool is_helper(const struct store_process *p)
{
    return strchr(p->node, '#') != NULL;
}

/* Started, not forked: it has a program of its own. */
static bool is_started(const struct store_process *p)
{
    return p->number && p->events && !p->forked;
}

static bool is_of_node(const struct with *w, const struct store_process *p)
{
    return is_started(p) && p->exe && (!*w->node || !strcmp(p->node, w->node));
}

static size_t choose_by_name(struct with *w, const char *name)
{
    size_t found = 0;
    for (size_t i = 0; i < w->view.count; i++) {
        const struct store_process *p = &w->view.process[i];
        w->wanted[i] = is_of_node(w, p) && (*w->node || !is_helper(p)) && !strcmp(base_name(p->exe), name);
        found += w->wanted[i];
    }
    return found;
}

/* The program of the node, or of all nodes, where they ran but one. */
static const char *only_program(const struct with *w)
{
    const char *name = NULL;
    for (size_t i = 0; i < w->view.count; i++) {
        const struct store_process *p = &w->view.process[i];
        if (!is_of_node(w, p) || (!*w->node && is_helper(p)))
            continue;
        if (name && strcmp(name, base_name(p->exe)) != 0)
            return NULL;
        name = base_name(p->exe);
    }
    return name;
}

/* Processes that ran a program of this name; else, of a node that ran one only, that. */
static bool choose(struct with *w, struct drd_error *e)
{
    w->wanted = calloc(w->view.count + 1, sizeof *w->wanted);
    if (!w->wanted)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    const char *other = only_program(w);
    if (choose_by_name(w, w->base) || (other && choose_by_name(w, other)))
        return true;
    if (*w->node)
        return error_set(e, DRD_EXIT_CANNOT, "%s ran more than one program, and none called %s: give the new build the name"
                         " of the one that it is a build of", w->node, w->base);
    return error_set(e, DRD_EXIT_CANNOT, "the nodes of this run ran more than one program, and none called %s: name a node,"
                     " RUN:NODE", w->base);
}

static bool check_binary(struct with *w, const char *binary, struct drd_error *e)
{
    struct build_id id;
    if (!realpath(binary, w->binary))
        return error_set(e, DRD_EXIT_FATAL, "%s: %s", binary, strerror(errno));
    w->base = base_name(w->binary);
    if (access(w->binary, X_OK))
        return error_set(e, DRD_EXIT_FATAL, "%s: %s", binary, strerror(errno));
    if (!build_id_read(w->binary, &id, e))
        return error_wrap(e, "--with wants a program, not a script or a library");
    return true;
}

/* --- one process --- */

static void read_made(struct departure *d, const struct replay_file *file)
{
    char path[sizeof file->dir + 32];
    snprintf(path, sizeof path, "%.*s/%06" PRIu32 ".made", (int)sizeof file->dir - 1, file->dir, d->process->number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    d->made = fd < 0 ? NULL : malloc(MADE_MOST);
    while (d->made && d->length < MADE_MOST) {
        ssize_t n = read(fd, d->made + d->length, MADE_MOST - d->length);
        if (n <= 0)
            break;
        d->length += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    if (d->length)
        return;
    free(d->made);
    d->made = NULL;
}

/* Bytes that mean the same: padding that a program never wrote, the address of something. */
static bool means_the_same(struct with *w, const struct replay_file *file)
{
    struct departure *d = &w->now;
    if (!w->follow)
        w->follow = diff_follow_create(w->view.store, d->process->number, &w->error);
    if (!w->follow || !diff_follow_to(w->follow, file->events, d->made, d->length, &d->recorded, &d->meant, &w->error))
        return false;
    return file->argument < 6 && d->recorded.facts && d->recorded.facts == d->meant.facts &&
           d->recorded.digest == d->meant.digest;
}

static bool departs(void *context, const struct replay_file *file)
{
    struct with *w = context;
    struct departure *d = &w->now;
    made_forget(d);
    read_made(d, file);
    if (means_the_same(w, file)) {
        w->same++;
        return false;
    }
    replay_frames_live(file, d->frame, FRAMES_MAX, &d->frames, d->note);
    return true;
}

static void on_notice(void *context, const char *line)
{
    (void)context;
    cmd_warn("%s", line);
}

static bool is_departure(enum replay_outcome outcome)
{
    return outcome == REPLAY_DIFFERS || outcome == REPLAY_DIED || outcome == REPLAY_HUNG;
}

static bool event_time(struct with *w, const struct departure *d, uint64_t *time, struct drd_error *e)
{
    struct trace_event event;
    struct stream *st = stream_open(w->view.store, d->process->number, e);
    int more = st ? stream_seek(st, d->result.events, e) : -1;
    if (more > 0)
        more = stream_next(st, &event, e);
    stream_close(st);
    *time = more > 0 ? event.time : UINT64_MAX;
    return more >= 0;
}

/* Of all that depart, the one that does so first. */
static bool keep_first(struct with *w, struct drd_error *e)
{
    bool good = event_time(w, &w->now, &w->now.time, e);
    struct departure *late = good && (!w->first.process || w->now.time < w->first.time) ? &w->first : &w->now;
    departure_fini(late);
    if (late == &w->first) {
        w->first = w->now;
        w->now = (struct departure){.length = 0};
    }
    return good;
}

static bool drive_one(struct with *w, size_t index, struct drd_error *e)
{
    bool *only = calloc(w->view.count + 1, sizeof *only);
    if (!only)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    only[index] = true;
    struct replay_options options = {
        .wanted = only, .other_build = w->binary, .other_shim = w->shim, .departs = departs, .notice = on_notice,
        .context = w, .jobs = 1,
    };
    w->now = (struct departure){.process = &w->view.process[index]};
    struct replay *r = replay_create(w->view.store, w->view.process, w->view.count, &options, e);
    bool ok = r && replay_run(r, e);
    if (ok)
        w->now.result = *replay_result(r, index);
    replay_destroy(r);
    free(only);
    diff_follow_destroy(w->follow);
    w->follow = NULL;
    if (w->error.exit_code)
        return *e = w->error, false;
    if (!ok)
        return false;
    w->processes++;
    w->events += w->now.result.events;
    if (is_departure(w->now.result.outcome))
        return keep_first(w, e);
    bool followed = w->now.result.outcome == REPLAY_IDENTICAL;
    if (!followed)
        error_set(e, DRD_EXIT_CANNOT, "%s cannot be re-driven: %s", w->now.process->node,
                  *w->now.result.what ? w->now.result.what : "it did not start");
    departure_fini(&w->now);
    return followed;
}

static bool drive(struct with *w, struct drd_error *e)
{
    for (size_t i = 0; i < w->view.count; i++)
        if (w->wanted[i] && !drive_one(w, i, e))
            return false;
    return true;
}

/* --- what is said --- */

static const char *code_name(int32_t code)
{
    return code == 0x7fff0001 ? "clock" : trace_code_name(code); /* TRACE_PEEK_CLOCK of the shim */
}

static bool is_other_call(const struct departure *d)
{
    return d->result.argument == 7;
}

/* "sendto: argument 2 (buf)", what differs. */
static void say_what(const struct departure *d, char *out, size_t size)
{
    const struct replay_result *r = &d->result;
    if (r->outcome == REPLAY_HUNG)
        snprintf(out, size, "it computes on without a call, or waits for itself");
    else if (r->outcome == REPLAY_DIED && r->wait_status != -1 && WIFSIGNALED(r->wait_status))
        snprintf(out, size, "it is killed by SIG%s", sigabbrev_np(WTERMSIG(r->wait_status)));
    else if (r->outcome == REPLAY_DIED)
        snprintf(out, size, "it ends, with status %d", r->wait_status == -1 ? -1 : WEXITSTATUS(r->wait_status));
    else if (is_other_call(d))
        snprintf(out, size, "asked for %s, the trace has %s", code_name(r->call), code_name(r->expected_call));
    else if (r->argument < 6)
        snprintf(out, size, "%s, in %s of %s", r->what, trace_argument_name(r->call, r->argument), code_name(r->call));
    else
        snprintf(out, size, "%s: %s", code_name(r->call), r->what);
}

static void print_side(char side, const char *what, const char *meaning, const char *data)
{
    printf("  %c  %s", side, what);
    if (*meaning) {
        printf(": ");
        text_plain(meaning, stdout);
    }
    putchar('\n');
    if (*data) {
        printf("     ");
        text_plain(data, stdout);
        putchar('\n');
    }
}

static void print_source(const struct departure *d)
{
    for (size_t i = 0; i < d->frames && i < FRAMES_SHOWN; i++) {
        const struct replay_frame *f = &d->frame[i];
        printf(i ? "  <- " : "SOURCE ");
        text_plain(*f->function ? f->function : f->object, stdout);
        if (f->line) {
            putchar(' ');
            text_plain(base_name(f->file), stdout);
            printf(":%u", f->line);
        }
    }
    if (d->frames)
        putchar('\n');
    else if (*d->note)
        printf("SOURCE not known: %s\n", d->note);
}

static void print_departure(const struct with *w, const char *run)
{
    const struct departure *d = &w->first;
    char name[128], what[512], count[TEXT_MAX];
    bool silent = d->result.outcome != REPLAY_DIFFERS || is_other_call(d);
    event_name(d->process, d->result.events, name, sizeof name);
    say_what(d, what, sizeof what);
    printf("A  %s: %s, as recorded\nB  the same with %s\n", run, d->process->node, w->binary);
    printf("DEPARTS %s  ", name);
    text_plain(what, stdout);
    printf("  (equal up to there: %s events)\n", text_count(d->result.events, count, sizeof count));
    if (d->result.outcome == REPLAY_DIFFERS) {
        print_side('A', code_name(is_other_call(d) ? d->result.expected_call : d->result.call), d->recorded.words,
                   silent ? "" : d->result.expected);
        print_side('B', code_name(d->result.call), d->meant.words, silent ? "" : d->result.got);
    }
    print_source(d);
}

static void print_followed(const struct with *w, const char *run)
{
    char processes[TEXT_MAX], events[TEXT_MAX], same[96] = "";
    if (w->same)
        snprintf(same, sizeof same, " (%" PRIu64 " messages or writes have other bytes of the same meaning)", w->same);
    printf("%s: %s process%s with %s, %s events: follow%s the trace to the end%s\n", run,
           text_count(w->processes, processes, sizeof processes), w->processes == 1 ? "" : "es", w->binary,
           text_count(w->events, events, sizeof events), w->processes == 1 ? "s" : "", same);
}

static void put_frames(const struct departure *d, struct json_writer *j)
{
    jw_key(j, "source");
    jw_array(j);
    for (size_t i = 0; i < d->frames; i++) {
        jw_object(j);
        jw_put_string(j, "function", d->frame[i].function);
        jw_put_string(j, "file", d->frame[i].file);
        jw_put_uint(j, "line", d->frame[i].line);
        jw_put_string(j, "object", d->frame[i].object);
        jw_end(j);
    }
    jw_end(j);
}

static void put_side(const char *key, const char *call, const char *meaning, const char *data, struct json_writer *j)
{
    jw_key(j, key);
    jw_object(j);
    jw_put_string(j, "call", call);
    jw_put_string(j, "meaning", meaning);
    jw_put_string(j, "data", data);
    jw_end(j);
}

static void put_departure(const struct departure *d, struct json_writer *j)
{
    char name[128], what[512];
    jw_key(j, "departs");
    if (!d->process) {
        jw_null(j);
        return;
    }
    event_name(d->process, d->result.events, name, sizeof name);
    say_what(d, what, sizeof what);
    jw_object(j);
    jw_put_string(j, "event", name);
    jw_put_string(j, "node", d->process->node);
    jw_put_string(j, "what", what);
    jw_put_uint(j, "offset", d->result.offset);
    bool differs = d->result.outcome == REPLAY_DIFFERS;
    put_side("a", differs ? code_name(is_other_call(d) ? d->result.expected_call : d->result.call) : "", d->recorded.words,
             d->result.expected, j);
    put_side("b", differs ? code_name(d->result.call) : "", d->meant.words, d->result.got, j);
    put_frames(d, j);
    jw_end(j);
}

static void put_json(const struct with *w, const char *run)
{
    struct json_writer j;
    jw_init(&j, stdout);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.diff.with/1");
    jw_put_string(&j, "run", run);
    jw_put_string(&j, "binary", w->binary);
    jw_put_uint(&j, "processes", w->processes);
    jw_put_uint(&j, "events", w->events);
    jw_put_uint(&j, "other_bytes", w->same);
    put_departure(&w->first, &j);
    jw_end(&j);
}

static bool state_ok(const struct with *w, struct drd_error *e)
{
    char state[32] = "";
    store_fact(w->view.store, "state", state, sizeof state);
    if (!strcmp(state, "recording"))
        return error_set(e, DRD_EXIT_CANNOT, "%s is not finished: it is being recorded, or 'drd fsck --repair' finishes it",
                         w->view.path);
    return true;
}

int diff_with(struct cmd_context *c, const char *binary, const char *run, const char *node)
{
    struct with w = {.node = node};
    char id[REFS_ID + 1];
    int code = DRD_EXIT_OK;
    bool good = run_view_open(&w.view, run, &c->error);
    good = good && state_ok(&w, &c->error) && (!*node || run_view_has_node(&w.view, node, &c->error)) &&
           check_binary(&w, binary, &c->error) && launch_find_shim(w.shim, &c->error) && choose(&w, &c->error) &&
           drive(&w, &c->error);
    if (good) {
        const char *name = refs_name(w.view.path, id);
        code = w.first.process ? DRD_EXIT_DIFFERS : DRD_EXIT_OK;
        if (c->json)
            put_json(&w, name);
        else
            w.first.process ? print_departure(&w, name) : print_followed(&w, name);
    }
    departure_fini(&w.first);
    departure_fini(&w.now);
    free(w.wanted);
    run_view_close(&w.view);
    return good ? code : cmd_failed(c);
}
