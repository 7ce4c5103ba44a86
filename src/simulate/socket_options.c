/* Options of sockets: socket(7), tcp(7). Time limits and linger do what they say; others are kept, and nothing here depends on them. */
#include "simulate/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#define OPTION_MOST 64 /* tcp(7) has none above */

static struct timeval span(uint64_t ns)
{
    return (struct timeval){(time_t)(ns / SECOND), (suseconds_t)(ns % SECOND / 1000)};
}

static int option_kept(const struct socket *s, int level, int name)
{
    for (unsigned i = 0; i < s->options; i++)
        if (s->option[i].level == level && s->option[i].name == name)
            return s->option[i].value;
    return 0;
}

static void option_keep(struct socket *s, int level, int name, int value)
{
    unsigned i = 0;
    while (i < s->options && (s->option[i].level != level || s->option[i].name != name))
        i++;
    if (i == sizeof s->option / sizeof *s->option)
        return;
    s->options += i == s->options;
    s->option[i].level = level, s->option[i].name = name, s->option[i].value = value;
}

long option_get(struct machine *m, struct task *t, struct socket *s)
{
    int value = 0;
    uint32_t room;
    uint32_t cred[3] = {0};
    struct timeval longest;
    const void *from = &value;
    uint32_t size = sizeof value;
    if (!user_get(m, t, &room, t->arg[4], 4))
        return -EFAULT;
    connect_look(m, s);
    if (t->arg[1] == SOL_SOCKET) {
        switch (t->arg[2]) {
        case SO_ERROR: value = s->state == SOCKET_CONNECTING ? 0 : s->error; s->error = 0; break;
        case SO_TYPE: value = s->type; break;
        case SO_DOMAIN: value = s->family; break;
        case SO_ACCEPTCONN: value = s->state == SOCKET_LISTENING; break;
        case SO_SNDBUF: case SO_RCVBUF: value = (int)WINDOW; break;
        case SO_LINGER: from = &s->linger; size = sizeof s->linger; break;
        case SO_PEERCRED: cred[0] = s->peer ? s->peer->owner_pid : s->owner_pid; from = cred; size = sizeof cred; break;
        case SO_RCVTIMEO: longest = span(s->receive_longest); from = &longest; size = sizeof longest; break;
        case SO_SNDTIMEO: longest = span(s->send_longest); from = &longest; size = sizeof longest; break;
        default: value = option_kept(s, SOL_SOCKET, (int)t->arg[2]);
        }
    } else if (t->arg[1] == IPPROTO_TCP && (t->arg[2] == TCP_INFO || t->arg[2] > OPTION_MOST)) {
        return -ENOPROTOOPT;
    } else {
        value = option_kept(s, (int)t->arg[1], (int)t->arg[2]);
    }
    size = room < size ? room : size;
    return user_put(m, t, t->arg[3], from, size) && user_put(m, t, t->arg[4], &size, 4) ? 0 : -EFAULT;
}

static long longest_set(struct machine *m, const struct task *t, uint64_t *longest)
{
    struct timeval tv;
    if ((uint64_t)t->arg[4] < sizeof tv)
        return -EINVAL;
    if (!user_get(m, t, &tv, t->arg[3], sizeof tv))
        return -EFAULT;
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    *longest = tv.tv_sec < 0 ? 0 : (uint64_t)tv.tv_sec * SECOND + (uint64_t)tv.tv_usec * 1000;
    return 0;
}

long option_set(struct machine *m, struct task *t, struct socket *s)
{
    int value, level = (int)t->arg[1], name = (int)t->arg[2];
    if (level == SOL_SOCKET && name == SO_RCVTIMEO)
        return longest_set(m, t, &s->receive_longest);
    if (level == SOL_SOCKET && name == SO_SNDTIMEO)
        return longest_set(m, t, &s->send_longest);
    if (level == SOL_SOCKET && name == SO_LINGER)
        return (uint64_t)t->arg[4] < sizeof s->linger ? -EINVAL : user_get(m, t, &s->linger, t->arg[3], sizeof s->linger) ? 0 : -EFAULT;
    if (level == IPPROTO_TCP && name > OPTION_MOST)
        return -ENOPROTOOPT;
    if ((uint64_t)t->arg[4] < sizeof value)
        return level == SOL_SOCKET ? -EINVAL : 0;
    if (!user_get(m, t, &value, t->arg[3], sizeof value))
        return -EFAULT;
    option_keep(s, level, name, level == SOL_SOCKET && name < SO_SNDBUF ? !!value : value);
    return 0;
}
