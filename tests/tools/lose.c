/* lose RUN NODE       as if the node had not been recorded
 * lose RUN NODE end   as if its recording had stopped early: the last chunks of its processes are gone */
#include <stdio.h>
#include <string.h>

#include "store/internal.h"

static int run(sqlite3 *db, const char *sql, const char *node)
{
    sqlite3_stmt *st = NULL;
    int changed = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_text(st, 1, node, -1, SQLITE_STATIC);
        if (sqlite3_step(st) == SQLITE_DONE)
            changed = sqlite3_changes(db);
    }
    sqlite3_finalize(st);
    return changed;
}

#define OF_NODE "(SELECT number FROM process WHERE node = ?1)"

/* The rows that were derived are derived anew: what they are of is recorded with them. */
static int lose(sqlite3 *db, const char *node, int end)
{
    if (run(db, "DELETE FROM fact WHERE key LIKE 'rows%' AND ?1 IS NOT NULL", node) < 0)
        return -1;
    if (end) {
        run(db, "DELETE FROM chunk WHERE process IN " OF_NODE " AND first > 0 AND id IN (SELECT max(id) FROM chunk GROUP BY process)", node);
        return run(db, "UPDATE process SET complete = 0, incomplete_reason = 'lost' WHERE node = ?1", node);
    }
    if (run(db, "DELETE FROM chunk WHERE process IN " OF_NODE, node) < 0)
        return -1;
    return run(db, "DELETE FROM process WHERE node = ?1", node);
}

int main(int argc, char **argv)
{
    struct drd_error e = {0};
    if (argc < 3) {
        fprintf(stderr, "usage: lose RUN NODE [end]\n");
        return 2;
    }
    struct store *s = store_open(argv[1], STORE_WRITE, &e);
    int lost = s ? lose(s->db, argv[2], argc > 3 && strcmp(argv[3], "end") == 0) : -1;
    if (lost <= 0)
        fprintf(stderr, "lose: %s\n", s ? sqlite3_errmsg(s->db) : e.message);
    store_close(s);
    return lost > 0 ? 0 : 1;
}
