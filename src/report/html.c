#include "report/html.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* src/report/page/, put into the program by page.S. */
extern const char report_page_html[], report_page_html_end[], report_page_css[], report_page_css_end[], report_page_js[],
    report_page_js_end[];

#define DRAWN_LEAST 100

static void put_hash(const char *hex, FILE *out)
{
    uint8_t bytes[32] = {0};
    for (size_t i = 0; i < sizeof bytes && strlen(hex) == 64; i++)
        sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
    html_base64(bytes, sizeof bytes, out);
}

static void slot_style_hash(struct report *r, FILE *out)
{
    (void)r;
    put_hash(REPORT_CSS_SHA256, out);
}

static void slot_script_hash(struct report *r, FILE *out)
{
    (void)r;
    put_hash(REPORT_JS_SHA256, out);
}

static void slot_style(struct report *r, FILE *out)
{
    (void)r;
    fwrite(report_page_css, 1, (size_t)(report_page_css_end - report_page_css), out);
}

static void slot_script(struct report *r, FILE *out)
{
    (void)r;
    fwrite(report_page_js, 1, (size_t)(report_page_js_end - report_page_js), out);
}

static void slot_version(struct report *r, FILE *out)
{
    (void)r;
    fputs(DRD_VERSION, out);
}

static void slot_title(struct report *r, FILE *out)
{
    report_title(r, out);
}

static void slot_mode(struct report *r, FILE *out)
{
    fputs(r->runs > 1 ? "two" : "one", out);
}

static void slot_data(struct report *r, FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *json = open_memstream(&text, &size);
    if (!json)
        return;
    report_data(r, json);
    fclose(json);
    html_pack(text, size, out);
    free(text);
}

/* A part of each run; of two, each in a column with its letter. */
static void each_run(struct report *r, void (*part)(const struct report *r, size_t run, FILE *out), FILE *out)
{
    for (size_t i = 0; i < r->runs; i++) {
        if (r->runs > 1)
            fprintf(out, "<div class=\"column\"><h3>%c</h3>\n", i ? 'B' : 'A');
        part(r, i, out);
        fputs(r->runs > 1 ? "</div>\n" : "", out);
    }
}

static void slot_verdicts(struct report *r, FILE *out)
{
    if (r->runs > 1)
        report_apart(r, out);
    for (size_t i = 0; i < r->runs; i++)
        report_verdict(r, i, out);
}

static void slot_words(struct report *r, FILE *out)
{
    each_run(r, report_words, out);
}

static void slot_chain(struct report *r, FILE *out)
{
    each_run(r, report_chain, out);
}

static void slot_logs(struct report *r, FILE *out)
{
    each_run(r, report_logs, out);
}

static void slot_shown(struct report *r, FILE *out)
{
    for (size_t i = 0; i < r->runs; i++) {
        fprintf(out, "<p class=\"shown\">%s", r->runs > 1 ? i ? "B: " : "A: " : "");
        report_shown(r, i, out);
        fputs("</p>\n", out);
    }
}

static void slot_environment(struct report *r, FILE *out)
{
    each_run(r, report_environment, out);
}

static const struct {
    const char *name;
    void (*put)(struct report *r, FILE *out);
} slots[] = {
    {"style_hash", slot_style_hash}, {"script_hash", slot_script_hash}, {"style", slot_style}, {"script", slot_script},
    {"version", slot_version}, {"title", slot_title}, {"mode", slot_mode}, {"verdicts", slot_verdicts}, {"words",
                                                                                          slot_words},
    {"chain", slot_chain}, {"logs", slot_logs}, {"shown", slot_shown}, {"environment", slot_environment}, {"data",
                                                                                          slot_data},
};

static void put_slot(struct report *r, const char *name, size_t length, FILE *out)
{
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        if (strlen(slots[i].name) == length && !strncmp(slots[i].name, name, length)) {
            slots[i].put(r, out);
            return;
        }
    }
}

/* The page, with what stands in {{name}} filled in. */
static void put_page(struct report *r, FILE *out)
{
    const char *p = report_page_html, *end = report_page_html_end;
    while (p < end) {
        const char *open = memmem(p, (size_t)(end - p), "{{", 2);
        const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
        if (!close) {
            fwrite(p, 1, (size_t)(end - p), out);
            return;
        }
        fwrite(p, 1, (size_t)(open - p), out);
        put_slot(r, open + 2, (size_t)(close - open - 2), out);
        p = close + 2;
    }
}

static bool page_make(struct report *r, char **text, size_t *size)
{
    FILE *out = open_memstream(text, size);
    if (!out)
        return false;
    put_page(r, out);
    bool good = !ferror(out);
    return fclose(out) == 0 && good;
}

/* The events that are drawn now. */
static size_t drawn(const struct report *r)
{
    size_t most = 0;
    for (size_t i = 0; i < r->runs; i++)
        most = r->run[i].scene.drawn > most ? r->run[i].scene.drawn : most;
    return most;
}

bool report_html(struct report *r, FILE *out, struct drd_error *e)
{
    for (;;) {
        char *text = NULL;
        size_t size = 0;
        if (!page_make(r, &text, &size)) {
            free(text);
            return error_set(e, DRD_EXIT_FATAL, "out of memory");
        }
        if (size <= r->max_size) {
            if (fwrite(text, 1, size, out) != size || fflush(out) != 0)
                r->write_errno = errno;
            free(text);
            return true;
        }
        free(text);
        if (drawn(r) <= DRAWN_LEAST)
            return error_set(e, DRD_EXIT_USAGE, "the page takes %zu bytes without most of its events: give --max-size more",
                             size);
        size_t fewer = drawn(r) / 2;
        for (size_t i = 0; i < r->runs; i++)
            scene_select(&r->run[i].scene, fewer);
    }
}
