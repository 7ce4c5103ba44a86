/* Files: how they are written so that they survive, and the vote file. */
#include "raft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t checksum(uint64_t before, const void *bytes, size_t length)
{
    const unsigned char *p = bytes;
    while (length--)
        before = (before ^ *p++) * 1099511628211ull;
    return before;
}

const char *path_of(const char *name)
{
    static char path[2][512];
    static unsigned turn;
    char *out = path[turn++ % 2];
    snprintf(out, sizeof path[0], "%s/%s", option.dir, name);
    return out;
}

void write_all(int fd, const void *bytes, size_t length, const char *name)
{
    for (const char *at = bytes, *end = at + length; at < end;) {
        ssize_t done = write(fd, at, (size_t)(end - at));
        if (done <= 0)
            die(name, done < 0 ? strerror(errno) : "nothing written");
        at += done;
    }
}

/* What is read may be in the machine's memory only: whoever wrote it was killed before the fsync. It must not be acted upon
 * before it is durable, or the next loss of power takes it away. (drd explore found that: a term went back.) */
struct buffer file_read(const char *name)
{
    struct buffer b = {NULL, 0};
    struct stat status;
    int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return b;
    if (fd < 0 || fsync(fd) != 0 || fstat(fd, &status) != 0 || !(b.bytes = malloc((size_t)status.st_size + 1)))
        die(name, strerror(errno));
    for (ssize_t got; b.length < (size_t)status.st_size; b.length += (size_t)got)
        if ((got = read(fd, b.bytes + b.length, (size_t)status.st_size - b.length)) <= 0)
            break;
    close(fd);
    b.bytes[b.length] = '\0';
    return b;
}

static void directory_sync(void)
{
    int fd = open(option.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        die(option.dir, strerror(errno));
    close(fd);
}

/* The whole file or the one before, whatever happens. */
void file_replace(const char *name, const void *bytes, size_t length)
{
    char beside[32];
    snprintf(beside, sizeof beside, "%s.tmp", name);
    int fd = open(path_of(beside), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        die(beside, strerror(errno));
    write_all(fd, bytes, length, beside);
    if (fsync(fd) != 0)
        die(beside, strerror(errno));
    close(fd);
    if (rename(path_of(beside), path_of(name)) != 0)
        die(name, strerror(errno));
    directory_sync();
}

/* --- the vote file --- */

static int vote_file = -1;
static uint64_t vote_sequence;

static uint64_t vote_checksum(struct file_vote vote)
{
    vote.checksum = 0;
    return checksum(CHECKSUM_START, &vote, sizeof vote);
}

void vote_write(uint64_t term, uint64_t voted_for)
{
    struct file_vote vote = {.version = WIRE_VERSION, .sequence = ++vote_sequence, .term = term, .voted_for = voted_for};
    memcpy(vote.magic, FILE_VOTE_MAGIC, sizeof vote.magic);
    vote.checksum = vote_checksum(vote);
    off_t slot = (off_t)(vote_sequence % 2) * FILE_VOTE_SLOT;
    if (pwrite(vote_file, &vote, sizeof vote, slot) != (ssize_t)sizeof vote || fdatasync(vote_file) != 0)
        die("vote", strerror(errno));
}

/* Term and vote, in one write: they belong together. */
void vote_save(void)
{
    vote_write(raft.term, raft.voted_for);
}

void vote_load(void)
{
    struct buffer file = file_read("vote");
    for (size_t at = 0; file.bytes && at + sizeof(struct file_vote) <= file.length; at += FILE_VOTE_SLOT) {
        struct file_vote vote;
        memcpy(&vote, file.bytes + at, sizeof vote);
        if (memcmp(vote.magic, FILE_VOTE_MAGIC, sizeof vote.magic) != 0 || vote.checksum != vote_checksum(vote) ||
            vote.sequence < vote_sequence)
            continue;
        vote_sequence = vote.sequence;
        raft.term = vote.term;
        raft.voted_for = vote.voted_for;
    }
    free(file.bytes);
    vote_file = open(path_of("vote"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (vote_file < 0)
        die("vote", strerror(errno));
    directory_sync();
}
