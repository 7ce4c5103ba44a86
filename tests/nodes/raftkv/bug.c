#include "bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drd/drd.h"

#ifdef RAFTKV_PLANT
#define PLANT_NAME(id) PLANT_NAME_2(id)
#define PLANT_NAME_2(id) BUG_##id
enum bug bug_planted = PLANT_NAME(RAFTKV_PLANT);
#else
enum bug bug_planted;
#endif

static const struct {
    const char *id, *what;
} bug_table[] = {
    {"", ""},
#define BUG(id, class, what, ...) {#id, what},
#include "bugs.def"
#undef BUG
};

bool bug_choose(void)
{
    const char *id = getenv("RAFTKV_BUG");
    if (!id || !*id)
        return true;
    for (unsigned i = 1; i < sizeof bug_table / sizeof *bug_table; i++)
        if (!strcmp(bug_table[i].id, id))
            bug_planted = (enum bug)i;
    if (bug_planted)
        printf("raftkv: mistake %s: %s\n", id, bug_table[bug_planted].what);
    else
        fprintf(stderr, "raftkv: no mistake %s in bugs.def\n", id);
    return bug_planted != BUG_NONE;
}

/* For the bench alone: no rule reads free words. */
bool bug_acts(void)
{
#ifdef RAFTKV_PLANT
    return true;
#endif
    char text[16];
    int length = snprintf(text, sizeof text, "bug %s", bug_table[bug_planted].id);
    drd_mark(DRD_MARK_TEXT, 0, 0, 0, text, (size_t)length);
    printf("%s\n", text);
    return true;
}
