/* The classes of root causes as the table of docs/explain.md: raft_classes[] is where they stand. */
#include <stdio.h>

#include "raft/rule.h"

int main(void)
{
    puts("| class | what went wrong | the rule | the paper |\n| --- | --- | --- | --- |");
    for (int i = RAFT_T01; i < RAFT_CLASS_COUNT; i++) {
        const struct raft_class_row *row = &raft_classes[i];
        printf("| %s | %s | %s | %s |\n", row->id, row->title, row->rule, row->reference);
    }
    return 0;
}
