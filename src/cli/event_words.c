#include "cli/event_words.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "trace/names.h"
#include "util/text.h"

void words_quoted(struct trace_bytes bytes, size_t most, FILE *out)
{
    char text[WORDS_QUOTE + 8];
    fputs(text_quote(bytes.data, bytes.length, text, most + 6 < sizeof text ? most + 6 : sizeof text), out);
}

void words_address(struct trace_bytes bytes, FILE *out)
{
    struct sockaddr_storage a = { 0 };
    char text[INET6_ADDRSTRLEN];
    memcpy(&a, bytes.data ? bytes.data : (const void *)"", bytes.length < sizeof a ? bytes.length : sizeof a);
    if (a.ss_family == AF_INET && bytes.length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const void *)&a;
        fprintf(out, "%s:%d", inet_ntop(AF_INET, &in->sin_addr, text, sizeof text), ntohs(in->sin_port));
    } else if (a.ss_family == AF_INET6 && bytes.length >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in = (const void *)&a;
        fprintf(out, "[%s]:%d", inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text), ntohs(in->sin6_port));
    } else if (a.ss_family == AF_UNIX && bytes.length > offsetof(struct sockaddr_un, sun_path)) {
        const struct sockaddr_un *un = (const void *)&a;
        size_t length = strnlen(un->sun_path, sizeof un->sun_path);
        fputs("unix:", out);
        if (length)
            fwrite(un->sun_path, 1, length, out);
        else /* abstract: the name follows a NUL */
            words_quoted((struct trace_bytes){ bytes.data + 2, bytes.length - 2 }, 60, out);
    } else {
        fputs("?", out);
    }
}

static bool is_data(uint16_t code)
{
    switch (KIND_OF(code)) {
    case KIND_IN_LEN: case KIND_IOV_IN: case KIND_IOV_OUT:
        return true;
    case KIND_OUT_RET:
        return KIND_PARAMETER(code) == 1;
    case KIND_SPECIAL:
        switch (KIND_PARAMETER(code)) {
        case SPECIAL_MSG_IN: case SPECIAL_MSG_OUT: case SPECIAL_MMSG_IN: case SPECIAL_MMSG_OUT:
            return true;
        }
        return false;
    default:
        return false;
    }
}

bool words_is_address(int32_t call, unsigned i)
{
    return !strcmp(trace_argument_name(call, i), "address") && call_info(call) &&
           (KIND_OF(call_info(call)->argument[i]) == KIND_ADDR_OUT || KIND_OF(call_info(call)->argument[i]) == KIND_IN_LEN);
}

void words_result(int64_t result, FILE *out)
{
    const char *name = result < 0 && result >= -4095 ? strerrorname_np((int)-result) : NULL;
    if (name)
        fputs(name, out);
    else if (result < -4095 || result > 0x7fffffff)
        fprintf(out, "0x%" PRIx64, (uint64_t)result);
    else
        fprintf(out, "%" PRId64, result);
}

const struct trace_bytes *words_moved(const struct trace_event *e, const struct call_info *call, bool *given)
{
    for (unsigned i = 0; call && i < 6; i++) {
        if (!is_data(call->argument[i]) || words_is_address(e->call, i))
            continue;
        *given = kind_has_input(call->argument[i]);
        return *given ? &e->input[i] : &e->output[i];
    }
    return NULL;
}
