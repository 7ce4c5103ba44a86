/* The log, in memory and in its file: see wire.h for the records. What is appended or truncated is gathered in `pending` and
 * reaches the disk by log_sync, before anything is said that depends on it. */
#include "raft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct log raft_log;

static int log_file = -1;
static struct {
    char *bytes;
    size_t used, room, last; /* `last`: where the latest record begins */
} pending;

/* --- in memory --- */

const struct entry *log_entry(uint64_t index)
{
    if (index <= raft_log.base_index || index > raft_log.last)
        return NULL;
    return &raft_log.entry[index - raft_log.base_index - 1];
}

uint64_t log_term(uint64_t index)
{
    const struct entry *entry = log_entry(index);
    if (entry)
        return entry->term;
    return index == raft_log.base_index ? raft_log.base_term : 0;
}

static void entries_reserve(size_t count)
{
    if (count <= raft_log.room)
        return;
    raft_log.room = count * 2 + 64;
    raft_log.entry = realloc(raft_log.entry, raft_log.room * sizeof *raft_log.entry);
    if (!raft_log.entry)
        die("log", "no memory");
}

static void entry_put(uint64_t term, uint32_t type, const void *content, uint32_t length)
{
    entries_reserve(raft_log.last - raft_log.base_index + 1);
    struct entry *entry = &raft_log.entry[raft_log.last++ - raft_log.base_index];
    *entry = (struct entry){term, type, length, malloc(length + 1u)};
    if (!entry->content)
        die("log", "no memory");
    if (length)
        memcpy(entry->content, content, length);
    entry->content[length] = '\0';
}

static void entries_drop(uint64_t last)
{
    while (raft_log.last > last && raft_log.last > raft_log.base_index)
        free(raft_log.entry[--raft_log.last - raft_log.base_index].content);
    if (raft_log.synced > raft_log.last)
        raft_log.synced = raft_log.last;
}

/* --- records --- */

static void bytes_add(const void *bytes, size_t length)
{
    if (pending.used + length > pending.room) {
        pending.room = (pending.used + length) * 2;
        pending.bytes = realloc(pending.bytes, pending.room);
        if (!pending.bytes)
            die("log", "no memory");
    }
    if (length)
        memcpy(pending.bytes + pending.used, bytes, length);
    pending.used += length;
}

static uint64_t record_checksum(struct file_record record, const void *content)
{
    record.checksum = 0;
    return checksum(checksum(CHECKSUM_START, &record, sizeof record), content, record.length);
}

static void record_add(uint64_t index, uint64_t term, uint32_t type, const void *content, uint32_t length)
{
    struct file_record record = {.index = index, .term = term, .type = type, .length = length};
    record.checksum = record_checksum(record, content);
    pending.last = pending.used;
    bytes_add(&record, sizeof record);
    bytes_add(content, length);
}

void log_append(uint64_t term, uint32_t type, const void *content, uint32_t length)
{
    entry_put(term, type, content, length);
    record_add(raft_log.last, term, type, content, length);
    if (PLANTED(T03b))
        position_cache(raft_log.last, term);
    if (option.marks)
        drd_append_entry(raft_log.last, term, content, length);
}

/* Nothing after `last` remains. */
void log_truncate(uint64_t last)
{
    if (last >= raft_log.last)
        return;
    entries_drop(last);
    record_add(raft_log.last, 0, FILE_TRUNCATE, NULL, 0);
    if (option.marks)
        drd_truncate(raft_log.last);
}

/* --- to the file --- */

static void torn_write(void)
{
    size_t half = pending.last + (pending.used - pending.last) / 2;
    if (!crash_wanted("torn"))
        return;
    write_all(log_file, pending.bytes, half, "log");
    crash_point("torn");
}

void log_write_unsynced(void)
{
    torn_write();
    ssize_t done = pending.used ? write(log_file, pending.bytes, pending.used) : 0;
    if (done != (ssize_t)pending.used && !MISTAKE(T05c, raft.role != LEADER))
        die("log", done < 0 ? strerror(errno) : "short write");
    pending.used = 0;
    raft_log.synced = raft_log.last;
}

void log_sync(void)
{
    if (!pending.used)
        return;
    log_write_unsynced();
    if (fdatasync(log_file) != 0)
        die("log: fdatasync", strerror(errno));
}

static void log_reopen(int flags)
{
    if (log_file >= 0)
        close(log_file);
    log_file = open(path_of("log"), flags | O_APPEND | O_CLOEXEC);
    if (log_file < 0)
        die("log", strerror(errno));
}

/* Writes fail (EBADF) until there is room again. */
void log_fill(bool full)
{
    log_reopen(full ? O_RDONLY : O_WRONLY);
}

/* --- compaction: a new file without the entries up to base_index --- */

static void head_add(void)
{
    struct file_log head = {.version = WIRE_VERSION, .base_index = raft_log.base_index, .base_term = raft_log.base_term};
    memcpy(head.magic, FILE_LOG_MAGIC, sizeof head.magic);
    head.checksum = checksum(CHECKSUM_START, &head, sizeof head);
    bytes_add(&head, sizeof head);
}

static void entries_shift(uint64_t base_index)
{
    uint64_t gone = base_index - raft_log.base_index;
    for (uint64_t i = 0; i < gone; i++)
        free(raft_log.entry[i].content);
    memmove(raft_log.entry, raft_log.entry + gone, (raft_log.last - base_index) * sizeof *raft_log.entry);
}

static void log_rewrite(void)
{
    pending.used = 0;
    head_add();
    bool lost = MISTAKE(T14d, raft_log.last > raft_log.base_index);
    for (uint64_t i = raft_log.base_index + 1; i <= raft_log.last && !lost; i++) {
        const struct entry *entry = log_entry(i);
        record_add(i, entry->term, entry->type, entry->content, entry->length);
    }
    file_replace("log", pending.bytes, pending.used);
    pending.used = 0;
    raft_log.synced = raft_log.last;
    log_reopen(O_WRONLY);
}

void log_compact(uint64_t base_index, uint64_t base_term, bool keep_rest)
{
    if (keep_rest && base_index <= raft_log.last && base_index >= raft_log.base_index) {
        entries_shift(base_index);
    } else {
        entries_drop(raft_log.base_index);
        raft_log.last = base_index;
    }
    raft_log.base_index = base_index;
    raft_log.base_term = base_term;
    log_rewrite();
}

/* --- loading --- */

/* The record at `at`. False: it was torn, or there is none. */
static bool record_read(const struct buffer *file, size_t at, struct file_record *record)
{
    if (file->length - at < sizeof *record)
        return false;
    memcpy(record, file->bytes + at, sizeof *record);
    if (record->length > WIRE_CONTENT_MAX || file->length - at - sizeof *record < record->length)
        return false;
    return record->checksum == record_checksum(*record, file->bytes + at + sizeof *record);
}

/* Mistake T14b: what came after an entry stays when another takes its place. */
static void entry_replace(const struct file_record *record, const char *content)
{
    struct entry *entry = &raft_log.entry[record->index - raft_log.base_index - 1];
    entry->term = record->term;
    entry->type = record->type;
    entry->length = record->length;
    free(entry->content);
    entry->content = malloc(record->length + 1u);
    if (!entry->content)
        die("log", "no memory");
    memcpy(entry->content, content, record->length);
    entry->content[record->length] = '\0';
}

static void record_load(const struct file_record *record, const char *content)
{
    if (record->type == FILE_TRUNCATE) {
        if (!PLANTED(T14b))
            entries_drop(record->index);
    } else if (record->index == raft_log.last + 1) {
        entry_put(record->term, record->type, content, record->length);
    } else if (PLANTED(T14b) && record->index <= raft_log.last && record->index > raft_log.base_index) {
        entry_replace(record, content);
    } else {
        die("log", "an index is missing");
    }
}

/* What the log should end with, for mistakes of loading. */
static uint64_t true_last(const struct buffer *file)
{
    struct file_record record;
    uint64_t last = raft_log.base_index;
    for (size_t at = sizeof(struct file_log); record_read(file, at, &record); at += sizeof record + record.length)
        last = record.index;
    return last;
}

/* Returns the length of the file that makes sense. */
static size_t records_load(const struct buffer *file)
{
    struct file_record record;
    size_t at = sizeof(struct file_log), before = at;
    for (; record_read(file, at, &record); at += sizeof record + record.length) {
        record_load(&record, file->bytes + at + sizeof record);
        before = at;
    }
    if (MISTAKE(T14a, raft_log.last > raft_log.base_index && record_read(file, before, &record) &&
                          record.type != FILE_TRUNCATE)) {
        entries_drop(raft_log.last - 1);
        return before;
    }
    if (MISTAKE(T14c, at < file->length && raft_log.last > raft_log.base_index)) {
        entries_drop(raft_log.base_index);
        return sizeof(struct file_log);
    }
    (void)MISTAKE(T14b, raft_log.last > true_last(file));
    return at;
}

static bool head_load(const struct buffer *file)
{
    struct file_log head;
    if (file->length < sizeof head)
        return false;
    memcpy(&head, file->bytes, sizeof head);
    uint64_t sum = head.checksum;
    head.checksum = 0;
    if (memcmp(head.magic, FILE_LOG_MAGIC, sizeof head.magic) != 0 || head.version != WIRE_VERSION ||
        sum != checksum(CHECKSUM_START, &head, sizeof head))
        return false;
    raft_log.base_index = raft_log.last = head.base_index;
    raft_log.base_term = head.base_term;
    return true;
}

/* A snapshot was installed or taken, and the node died before its log followed. */
static void log_fit_snapshot(void)
{
    bool covers = raft_log.base_index >= raft.snapshot_index ||
                  (raft_log.last >= raft.snapshot_index && log_term(raft.snapshot_index) == raft.snapshot_term);
    if (!covers)
        log_compact(raft.snapshot_index, raft.snapshot_term, false);
    if (raft_log.base_index <= raft.snapshot_index)
        return;
    if (!PLANTED(T16e) && !PLANTED(T05e))
        die("log", "it begins after the snapshot ends");
    raft.commit = raft.applied = raft_log.base_index;
}

void log_open(void)
{
    struct buffer file = file_read("log");
    if (!file.bytes) {
        log_compact(raft.snapshot_index, raft.snapshot_term, false);
        return;
    }
    if (!head_load(&file))
        die("log", "its head is damaged");
    size_t good = records_load(&file);
    raft_log.synced = raft_log.last;
    log_reopen(O_WRONLY);
    if (good < file.length && ftruncate(log_file, (off_t)good) != 0)
        die("log", strerror(errno));
    free(file.bytes);
    log_fit_snapshot();
}
