/* drd show EVENT --frames: the stack of the thread that made the event. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"
#include "replay/frames.h"
#include "util/text.h"

struct show_frames {
    struct replay_frame frame[FRAMES_MAX];
    size_t count;
    char note[256];
    char acting[128]; /* the event at which the node acts on this one, "" if it is this one */
};

struct show_frames *show_frames_read(const struct run_view *v, const struct store_process *p, uint64_t sequence,
                                     struct drd_error *e)
{
    uint64_t acting;
    struct show_frames *f = calloc(1, sizeof *f);
    if (!f)
        return error_set(e, DRD_EXIT_FATAL, "out of memory"), NULL;
    if (replay_frames(v->store, v->process, v->count, p->number, sequence, f->frame, FRAMES_MAX, &f->count, f->note, e) &&
        replay_frames_acting(v->store, p->number, sequence, &acting, e)) {
        if (acting != sequence)
            event_name(p, acting, f->acting, sizeof f->acting);
        return f;
    }
    free(f);
    return NULL;
}

static void print_frame(const struct replay_frame *f)
{
    text_plain(*f->function ? f->function : f->object, stdout);
    if (!*f->function)
        printf("+0x%" PRIx64, f->offset);
    if (f->line) {
        printf("  ");
        text_plain(f->file, stdout);
        printf(":%u", f->line);
    } else if (*f->function) {
        printf("  ");
        text_plain(f->object, stdout);
        printf("+0x%" PRIx64, f->offset);
    }
    putchar('\n');
}

void show_frames_print(const struct show_frames *f)
{
    for (size_t i = 0; i < f->count; i++) {
        printf("  %-16s ", i ? "" : "stack");
        print_frame(&f->frame[i]);
    }
    if (*f->note) {
        printf("  %-16s ", f->count ? "" : "stack");
        text_plain(f->note, stdout);
        putchar('\n');
    }
    if (*f->acting) {
        printf("  %-16s ", "acts on it at");
        text_plain(f->acting, stdout);
        putchar('\n');
    }
}

static void put_or_null(struct json_writer *j, const char *key, const char *text)
{
    jw_put_string(j, key, *text ? text : NULL);
}

void show_frames_json(const struct show_frames *f, struct json_writer *j)
{
    jw_key(j, "frames");
    jw_array(j);
    for (size_t i = 0; i < f->count; i++) {
        const struct replay_frame *r = &f->frame[i];
        jw_object(j);
        put_or_null(j, "function", r->function);
        put_or_null(j, "file", r->file);
        jw_key(j, "line");
        if (r->line)
            jw_uint(j, r->line);
        else
            jw_null(j);
        jw_put_string(j, "object", r->object);
        jw_put_uint(j, "offset", r->offset);
        jw_end(j);
    }
    jw_end(j);
    put_or_null(j, "frames_note", f->note);
    put_or_null(j, "acting", f->acting);
}
