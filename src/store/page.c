#include "store/page.h"

#include <sqlite3.h>
#include <string.h>
#include <xxhash.h>

struct page_file {
    sqlite3_file base;
    sqlite3_file *real; /* stands behind this struct */
};

static bool check_pages = true;

void page_checks(bool on)
{
    check_pages = on;
}

bool page_checking(void)
{
    return check_pages;
}

static uint64_t page_sum(const uint8_t *page, size_t size)
{
    return XXH3_64bits(page, size - PAGE_RESERVED);
}

static bool page_is_zero(const uint8_t *page, size_t size)
{
    return !page[0] && !memcmp(page, page + 1, size - 1);
}

bool page_valid(const uint8_t *page, size_t size)
{
    uint64_t stored;
    memcpy(&stored, page + size - PAGE_RESERVED, sizeof stored);
    return stored == page_sum(page, size) || page_is_zero(page, size);
}

/* SQLite reads and writes whole pages, except for a look at the file's header. */
static bool is_page(int amount, sqlite3_int64 offset)
{
    return amount >= 512 && !(amount & (amount - 1)) && offset % amount == 0;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct page_file *)file)->real;
}

static int page_read(sqlite3_file *file, void *buffer, int amount, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    int rc = real->pMethods->xRead(real, buffer, amount, offset);
    if (rc == SQLITE_OK && check_pages && is_page(amount, offset) && !page_valid(buffer, (size_t)amount))
        return SQLITE_IOERR_DATA;
    return rc;
}

static int page_write(sqlite3_file *file, const void *buffer, int amount, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    if (is_page(amount, offset)) {
        /* The buffer is SQLite's page cache: its reserved bytes are ours. The checksum VFS of SQLite does the same. */
        uint64_t sum = page_sum(buffer, (size_t)amount);
        memcpy((uint8_t *)(uintptr_t)buffer + amount - PAGE_RESERVED, &sum, sizeof sum);
    }
    return real->pMethods->xWrite(real, buffer, amount, offset);
}

static int page_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int page_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int page_sync(sqlite3_file *file, int flags)
{
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int page_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int page_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int page_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int page_reserved_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int page_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int page_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int page_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

/* Version 1: no shared memory, no memory mapping: every page comes through page_read. */
static const sqlite3_io_methods methods = {
    .iVersion = 1, .xClose = page_close, .xRead = page_read, .xWrite = page_write, .xTruncate = page_truncate,
    .xSync = page_sync, .xFileSize = page_size, .xLock = page_lock, .xUnlock = page_unlock,
    .xCheckReservedLock = page_reserved_lock, .xFileControl = page_control, .xSectorSize = page_sector,
    .xDeviceCharacteristics = page_device,
};

static int page_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    sqlite3_vfs *real = vfs->pAppData;
    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return real->xOpen(real, name, file, flags, out_flags);
    struct page_file *mine = (struct page_file *)file;
    memset(mine, 0, sizeof *mine);
    mine->real = (sqlite3_file *)(mine + 1);
    int rc = real->xOpen(real, name, mine->real, flags, out_flags);
    if (mine->real->pMethods)
        mine->base.pMethods = &methods;
    return rc;
}

bool page_register(void)
{
    static sqlite3_vfs vfs; /* a copy of the default one: all its other functions ignore which vfs they are called for */
    if (sqlite3_vfs_find(PAGE_VFS))
        return true;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    if (!real)
        return false;
    vfs = *real;
    vfs.szOsFile = (int)sizeof(struct page_file) + real->szOsFile;
    vfs.pNext = NULL;
    vfs.zName = PAGE_VFS;
    vfs.pAppData = real;
    vfs.xOpen = page_open;
    return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
}
