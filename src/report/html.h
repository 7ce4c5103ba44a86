/* A report: one HTML file that needs nothing but a browser, made of the verdict in words and of the scene (scene.h).
 *
 * What is words stands in the page as markup and can be read without JavaScript; what is drawn stands there as JSON, gzip
 * and
 * base64. src/report/page/ has the page, its style and its script, which are part of the program (page.S). The same run
 * gives
 * the same bytes. Text of the nodes is data: it is cleaned and escaped here, and the script only ever uses textContent. */
#ifndef DRD_REPORT_HTML_H
#define DRD_REPORT_HTML_H

#include <stdio.h>

#include "diff/diff.h"
#include "report/scene.h"

#define REPORT_SIZE_DEFAULT (2u << 20)
#define REPORT_SIZE_MOST (16u << 20)

/* One run. */
struct report_run {
    const struct verdict *verdict;
    const char *name;          /* how to call it in a command line */
    struct store *store;
    struct scene scene;
    uint64_t recorded;         /* events of all processes */
    uint64_t duration;         /* ns */
};

struct report {
    struct report_run run[2];
    size_t runs;
    const struct diff *diff;   /* of two; NULL: they could not be compared, and why */
    char apart[300];
    uint64_t max_size;
    int write_errno;           /* out: why the page could not be written; 0: it could */
};

/* Write the page, with fewer events drawn if it would be larger than max_size. False: out of memory, or it cannot be made
   that
 * small. What `out` does not take is left to the caller: write_errno. */
bool report_html(struct report *r, FILE *out, struct drd_error *e);

/* --- between the files of the report --- */

/* html_text.c. What could steer a reader's eye or terminal (control characters, bidirectional overrides, bytes that are no
 * UTF-8) becomes visible: \x1b, \u202e. */
void html_clean(const char *text, char *out, size_t size);
void html_put(FILE *out, const char *text);                     /* cleaned and escaped, for text and quoted attributes */
void html_printf(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3))); /* the same of what is printed */
/* html_pack.c. Base64 of the gzip of some bytes. */
bool html_pack(const void *data, size_t length, FILE *out);
void html_base64(const uint8_t *data, size_t length, FILE *out);
/* html_data.c, html_diff.c. */
void report_data(const struct report *r, FILE *out);
void report_diff_data(const struct report *r, struct json_writer *j);
/* html_words.c, html_logs.c, html_environment.c: the parts of the page that are markup. */
void report_verdict(const struct report *r, size_t run, FILE *out);
void report_words(const struct report *r, size_t run, FILE *out);
void report_chain(const struct report *r, size_t run, FILE *out);
void report_logs(const struct report *r, size_t run, FILE *out);
void report_shown(const struct report *r, size_t run, FILE *out);
void report_environment(const struct report *r, size_t run, FILE *out);
void report_apart(const struct report *r, FILE *out); /* of two runs: where they parted */
void report_title(const struct report *r, FILE *out);
/* "n1@317", and as the page's own address of that event. */
void report_event(const struct report *r, size_t run, uint32_t process, uint64_t sequence, char *out, size_t size);
void report_link(const struct report *r, size_t run, const struct raft_witness *at, FILE *out);

#endif
