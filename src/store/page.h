/* A checksum for every page of a run file, so that one flipped byte anywhere in it is found.
 *
 * A layer between SQLite and the operating system: the last PAGE_RESERVED bytes of each page (SQLite leaves them alone,
 * see "reserved space" in https://www.sqlite.org/fileformat2.html) hold the XXH3-64 of the bytes before them. They are
 * written with the page and checked whenever it is read, also in parts of a page that hold nothing. Any other SQLite can
 * read the file; one that writes to it damages it. */
#ifndef DRD_STORE_PAGE_H
#define DRD_STORE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096
#define PAGE_RESERVED 8
#define PAGE_VFS "drd"

/* Make the layer known to SQLite under the name PAGE_VFS. May be called again. */
bool page_register(void);

/* Does the checksum at its end fit the page? A page of nothing but zeros was never written and is valid. */
bool page_valid(const uint8_t *page, size_t size);

/* Whether reading checks, pages here and pieces in chunk.c: on, except in fuzz targets, whose inputs could not get past. */
void page_checks(bool on);
bool page_checking(void);

#endif
