/* Adapter for raftkv: its files. What is written, and what is read back at the start, has one form. */
#include "protocol/raftkv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { OTHER, VOTE, LOG, SNAPSHOT };

struct file {
    enum kind kind;
    /* log: records follow one another, in pieces of any size */
    uint64_t next;           /* offset behind what was seen */
    uint64_t end;            /* offset behind what was taken in */
    bool broken;             /* what follows the last record is none */
    size_t held;
    uint8_t record[RAFTKV_RECORD + RAFTKV_CONTENT_MAX];
    /* vote */
    uint64_t sequence;       /* of the slot that holds */
};

/* FNV-1a. */
static uint64_t checksum(uint64_t before, const uint8_t *p, size_t length)
{
    while (length--)
        before = (before ^ *p++) * 1099511628211ull;
    return before;
}

/* Of `length` bytes with the checksum at `place` taken as 0. */
static bool checksum_good(const uint8_t *p, size_t length, size_t place)
{
    static const uint8_t zero[8];
    uint64_t sum = checksum(14695981039346656037ull, p, place);
    sum = checksum(sum, zero, sizeof zero);
    return checksum(sum, p + place + 8, length - place - 8) == raftkv_u64(p + place);
}

static bool begins(const uint8_t *p, size_t length, size_t least, const char *magic)
{
    return length >= least && !memcmp(p, magic, 4) && raftkv_u32(p + 4) == RAFTKV_VERSION;
}

static bool record_good(const uint8_t *p, size_t length)
{
    size_t content = length >= RAFTKV_RECORD ? raftkv_u32(p + RAFTKV_RECORD_LENGTH) : SIZE_MAX;
    return content <= RAFTKV_CONTENT_MAX && content <= length - RAFTKV_RECORD && checksum_good(p, RAFTKV_RECORD + content, 0);
}

static bool vote_good(const uint8_t *p, size_t length)
{
    return begins(p, length, RAFTKV_VOTE, "RKVT") && checksum_good(p, RAFTKV_VOTE, RAFTKV_VOTE_CHECKSUM);
}

/* A log that is opened again is written to at its end, wherever that is: only the records tell that it is one. */
static bool log_goes_on(const struct flow_write *w)
{
    const char *slash = strrchr(w->file->path, '/');
    return !strcmp(slash ? slash + 1 : w->file->path, "log") && record_good(w->data, w->length);
}

static enum kind kind_of(const struct flow_write *w)
{
    bool slot = w->offset == 0 || w->offset == RAFTKV_VOTE_SLOT;
    if (slot && vote_good(w->data, w->length))
        return VOTE;
    if (!w->offset && w->length >= RAFTKV_VOTE_SLOT && vote_good(w->data + RAFTKV_VOTE_SLOT, w->length - RAFTKV_VOTE_SLOT))
        return VOTE; /* read back as a whole, the first slot was never written */
    if (!w->offset && begins(w->data, w->length, RAFTKV_SNAPSHOT, "RKVS"))
        return SNAPSHOT;
    return (!w->offset && begins(w->data, w->length, RAFTKV_LOG, "RKVL")) || log_goes_on(w) ? LOG : OTHER;
}

bool raftkv_file_mine(const struct flow_write *w)
{
    return w->data && kind_of(w) != OTHER;
}

void *raftkv_file_create(void *state, const char *path)
{
    (void)state, (void)path;
    return calloc(1, sizeof(struct file));
}

void raftkv_file_destroy(void *file)
{
    free(file);
}

static void members_fact(struct walk *w, uint64_t index, const char *text)
{
    if (text)
        walk_file_fact(w, &(struct raft_fact){.kind = RAFT_FACT_CONFIGURATION, .index = index, .text = text});
}

/* --- vote --- */

/* Where two slots are seen at once, the one that holds. */
static void vote_write(struct walk *w, struct file *f, const struct flow_write *write)
{
    const uint8_t *best = NULL;
    for (uint64_t slot = 0; slot <= RAFTKV_VOTE_SLOT; slot += RAFTKV_VOTE_SLOT) {
        uint64_t at = slot - write->offset;
        const uint8_t *p = slot >= write->offset && at < write->length ? write->data + at : NULL;
        if (!p || !vote_good(p, write->length - (size_t)at) || raftkv_u64(p + RAFTKV_VOTE_SEQUENCE) < f->sequence)
            continue;
        best = p;
        f->sequence = raftkv_u64(p + RAFTKV_VOTE_SEQUENCE);
    }
    if (!best)
        return;
    struct raft_fact term = {.kind = RAFT_FACT_TERM, .term = raftkv_u64(best + RAFTKV_VOTE_TERM)};
    struct raft_fact vote = {.kind = RAFT_FACT_VOTE, .term = term.term};
    uint64_t candidate = raftkv_u64(best + RAFTKV_VOTE_FOR);
    snprintf(vote.peer, sizeof vote.peer, "%" PRIu64, candidate);
    walk_file_fact(w, &term);
    if (candidate)
        walk_file_fact(w, &vote);
}

/* --- log --- */

static void log_record(struct walk *w, const uint8_t *p)
{
    struct raft_fact fact = {.kind = RAFT_FACT_TRUNCATE, .index = raftkv_u64(p + RAFTKV_RECORD_INDEX)};
    uint32_t type = raftkv_u32(p + RAFTKV_RECORD_TYPE);
    if (type != RAFTKV_TRUNCATE) {
        fact.kind = RAFT_FACT_APPEND;
        raftkv_entry(w, &fact.entry, type, p + RAFTKV_RECORD, raftkv_u32(p + RAFTKV_RECORD_LENGTH));
        fact.entry.index = fact.index;
        fact.term = fact.entry.term = raftkv_u64(p + RAFTKV_RECORD_TERM);
    }
    walk_file_fact(w, &fact);
    members_fact(w, fact.index, fact.entry.members);
    free((void *)fact.entry.members);
}

/* More bytes of the log. A record is looked at when all of it is there; the first that is not one ends it. */
static void log_bytes(struct raftkv *r, struct walk *w, struct file *f, const char *path, const uint8_t *p, size_t length)
{
    while (length && !f->broken) {
        size_t need = RAFTKV_RECORD;
        if (f->held >= RAFTKV_RECORD)
            need += raftkv_u32(f->record + RAFTKV_RECORD_LENGTH);
        size_t take = need - f->held < length ? need - f->held : length;
        memcpy(f->record + f->held, p, take);
        f->held += take;
        f->end += take;
        p += take;
        length -= take;
        if (f->held < RAFTKV_RECORD)
            return;
        size_t content = raftkv_u32(f->record + RAFTKV_RECORD_LENGTH);
        f->broken = content > RAFTKV_CONTENT_MAX;
        if (f->broken || f->held < RAFTKV_RECORD + content)
            continue;
        f->broken = !record_good(f->record, f->held);
        f->held = 0;
        if (f->broken)
            return;
        log_record(w, f->record);
        raftkv_shape_record(r, path, f->end, raftkv_u64(f->record + RAFTKV_RECORD_INDEX));
    }
}

static void log_write(struct raftkv *r, struct walk *w, struct file *f, const struct flow_write *write)
{
    const char *path = write->file->path;
    size_t skip = !write->offset && begins(write->data, write->length, RAFTKV_LOG, "RKVL") ? RAFTKV_LOG : 0;
    if (skip)
        raftkv_shape_begin(r, path, raftkv_u64(write->data + RAFTKV_LOG_BASE), raftkv_u64(write->data + RAFTKV_LOG_BASE_TERM));
    if (write->offset != f->next || !write->offset) { /* opened again, or a new file */
        f->held = 0;
        f->broken = !skip && !record_good(write->data, write->length);
    }
    if (!f->held)
        f->end = write->offset + skip;
    f->next = write->offset + write->length;
    if (!f->broken)
        log_bytes(r, w, f, path, write->data + skip, write->length - skip);
}

/* --- snapshot --- */

static void snapshot_write(struct walk *w, const struct flow_write *write)
{
    const uint8_t *p = write->data;
    if (write->offset || !begins(p, write->length, RAFTKV_SNAPSHOT, "RKVS"))
        return;
    uint64_t members = raftkv_u32(p + RAFTKV_SNAPSHOT_MEMBERS);
    uint64_t whole = RAFTKV_SNAPSHOT + members + (uint64_t)raftkv_u32(p + RAFTKV_SNAPSHOT_SESSIONS) * RAFTKV_SESSION +
                     (uint64_t)raftkv_u32(p + RAFTKV_SNAPSHOT_PAIRS) * RAFTKV_PAIR;
    if (whole > write->length || !checksum_good(p, (size_t)whole, RAFTKV_SNAPSHOT_CHECKSUM))
        return; /* raftkv writes and reads it at one go */
    struct raft_fact fact = {.kind = RAFT_FACT_SNAPSHOT, .index = raftkv_u64(p + RAFTKV_SNAPSHOT_INDEX),
                             .term = raftkv_u64(p + RAFTKV_SNAPSHOT_TERM)};
    fact.entry = (struct raft_entry){.index = fact.index, .term = fact.term, .digest = raftkv_digest(raftkv_u64(p + RAFTKV_SNAPSHOT_DIGEST))};
    walk_file_fact(w, &fact);
    char *text = raftkv_members(w, p + RAFTKV_SNAPSHOT, (size_t)members);
    members_fact(w, raftkv_u64(p + RAFTKV_SNAPSHOT_MEMBERS_INDEX), text);
    free(text);
}

void raftkv_file_write(void *state, struct walk *w, void *pointer, const struct flow_write *write)
{
    struct file *f = pointer;
    if (!write->data)
        return;
    if (f->kind == OTHER)
        f->kind = kind_of(write);
    raftkv_server(state, write->done.process);
    switch (f->kind) {
    case VOTE: vote_write(w, f, write); break;
    case LOG: log_write(state, w, f, write); break;
    case SNAPSHOT: snapshot_write(w, write); break;
    default: break;
    }
}
