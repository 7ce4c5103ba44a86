/* Options, start and stop. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "raft.h"

struct raft raft;
struct option_values option = {
    .election = 500, .heartbeat = 50, .snapshot = 1024, .trailing = 128, .batch = 64, .lazy = 50, .marks = true};

static uv_signal_t terminate, interrupt;

/* A server that cannot keep its promises stops: others take over. */
void die(const char *what, const char *why)
{
    fprintf(stderr, "raftkv: node %u: %s: %s\n", option.id, what, why);
    exit(1);
}

uint64_t now_ms(void)
{
    return uv_now(&raft.loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    if (uv_is_closing((uv_handle_t *)handle))
        return;
    printf("node %u stops: term %" PRIu64 ", applied %" PRIu64 ", digest %016" PRIx64 "\n", option.id, raft.term,
           raft.applied, kv_digest());
    uv_close((uv_handle_t *)&terminate, NULL);
    uv_close((uv_handle_t *)&interrupt, NULL);
    raft_stop();
    network_stop();
    clients_stop();
}

static void split_members(char *list)
{
    for (char *word = strtok(list, ","); word && option.members < SERVERS - 1; word = strtok(NULL, ","))
        option.member[option.members++] = word;
}

static const struct option long_option[] = {
    {"id", required_argument, NULL, 'i'},       {"dir", required_argument, NULL, 'd'},
    {"members", required_argument, NULL, 'm'},  {"client-port", required_argument, NULL, 'c'},
    {"election", required_argument, NULL, 'e'}, {"heartbeat", required_argument, NULL, 'b'},
    {"snapshot", required_argument, NULL, 's'}, {"trailing", required_argument, NULL, 't'},
    {"batch", required_argument, NULL, 'a'},    {"lazy", required_argument, NULL, 'l'},
    {"pre-vote", no_argument, NULL, 'p'},       {"no-marks", no_argument, NULL, 'n'},
    {"join", no_argument, NULL, 'j'},           {NULL, 0, NULL, 0},
};

static bool read_options(int argc, char **argv)
{
    int letter;
    while ((letter = getopt_long(argc, argv, "", long_option, NULL)) != -1) {
        switch (letter) {
        case 'i': option.id = (unsigned)atoi(optarg); break;
        case 'd': option.dir = optarg; break;
        case 'm': split_members(optarg); break;
        case 'c': option.client_port = (unsigned)atoi(optarg); break;
        case 'e': option.election = (unsigned)atoi(optarg); break;
        case 'b': option.heartbeat = (unsigned)atoi(optarg); break;
        case 's': option.snapshot = (unsigned)atoi(optarg); break;
        case 't': option.trailing = (unsigned)atoi(optarg); break;
        case 'a': option.batch = (unsigned)atoi(optarg); break;
        case 'l': option.lazy = (unsigned)atoi(optarg); break;
        case 'p': option.pre_vote = true; break;
        case 'n': option.marks = false; break;
        case 'j': option.join = true; break;
        default: return false;
        }
    }
    return optind == argc && option.dir && option.client_port && option.id >= 1 && option.id <= option.members &&
           option.election && option.heartbeat && option.batch && option.batch <= WIRE_BATCH_MAX;
}

static void watch(uv_signal_t *handle, int number)
{
    uv_signal_init(&raft.loop, handle);
    uv_signal_start(handle, on_signal, number);
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fprintf(stderr, "usage: raftkv --id N --dir DIR --members HOST:PORT,... --client-port PORT [--election MS] "
                        "[--heartbeat MS] [--snapshot N] [--trailing N] [--batch N] [--lazy MS] [--pre-vote] [--no-marks] "
                        "[--join]\n");
        return 129;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!bug_choose())
        return 129;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a full disk is an error of write(), see log_fill */
    if (option.marks)
        drd_mark(DRD_MARK_NODE, option.id, 0, 0, NULL, 0);
    mkdir(option.dir, 0755);
    uv_loop_init(&raft.loop);
    raft_start();
    network_start();
    clients_start();
    watch(&terminate, SIGTERM);
    watch(&interrupt, SIGINT);
    uv_run(&raft.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&raft.loop) != 0)
        die("stop", "handles left open");
    return 0;
}
