/* Planted mistakes: bugs.def says which there are. The environment's RAFTKV_BUG chooses one at the start.
 * Other builds (tests/nodes/CMakeLists.txt): RAFTKV_PLANT=ID has that mistake from the start and does not tell of it, and with
 * RAFTKV_CORRECT no mistake is in the program at all. */
#ifndef RAFTKV_BUG_H
#define RAFTKV_BUG_H

#include <stdbool.h>

enum bug {
    BUG_NONE,
#define BUG(id, ...) BUG_##id,
#include "bugs.def"
#undef BUG
};

extern enum bug bug_planted;

bool bug_choose(void); /* false, and a line on stderr: there is none of that name */
bool bug_acts(void);   /* true; tells the recording that the mistake acts now */

#ifdef RAFTKV_CORRECT
#define PLANTED(id) (BUG_##id < BUG_NONE)
#define MISTAKE(id, differs) (PLANTED(id) && (differs))
#else

/* The program has this mistake. */
#define PLANTED(id) (bug_planted == BUG_##id)

/* The program has this mistake, and by it decides otherwise here than it should: only if `differs` is it told. */
#define MISTAKE(id, differs) (bug_planted == BUG_##id && (differs) && bug_acts())

#endif
#endif
