#include <string.h>

#include "cli/cmd.h"
#include "record/control.h"

static int run(struct cmd_context *c)
{
    char warning[512];
    if (!control_ask(c->argc, c->argv, warning, sizeof warning, &c->error))
        return cmd_failed(c);
    if (*warning)
        cmd_warn("%s", warning);
    return DRD_EXIT_OK;
}

const struct drd_command cmd_fault = {
    .name = "fault",
    .summary = "cut connections between recorded nodes, kill or pause nodes",
    .positional = "cut|heal|kill|pause|resume [NODE...]",
    .min = 1,
    .max = -1,
    .flags = CMD_COMMAND, /* "jump A -2s": no option */
    .help = "To be called by the command under `drd record`. Needs no root.\n"
            "  cut A B...   break the connections between these nodes and refuse new ones; one node alone is cut\n"
            "               from all other nodes. Programs without DRD_NODE (clients) still reach it\n"
            "  heal [A...]  undo cuts: all, those between the named, or all those of one\n"
            "  kill A...    SIGKILL to every process of a node; returns when they are gone\n"
            "  pause A...   SIGSTOP; resume A... SIGCONT\n"
            "Every fault becomes an event of node \"drd\" in the run.\n"
            "Only under `drd simulate`: cut-one-way, reset, crash, restart, skew, jump, disk, lose, duplicate, delay, late;\n"
            "the page of the command says what they do.\n",
    .run = run,
};
