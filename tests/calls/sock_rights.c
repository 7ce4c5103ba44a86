/* sendmsg and recvmsg: an open file handed over by SCM_RIGHTS, and scattered data. */
#include "net.h"
#include <sys/uio.h>

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(2 * sizeof(int))];
};

static void hand_over(int s, const int *fds)
{
    union control c = { 0 };
    struct iovec v[] = { { "with ", 5 }, { "files", 5 } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 2, .msg_control = &c, .msg_controllen = sizeof c };
    c.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(2 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(&c.header), fds, 2 * sizeof(int));
    SAY(sendmsg(s, &m, 0));
}

int main(void)
{
    int s[2], fds[2], got[2];
    char one[4] = "", two[16] = "", text[8] = "";
    union control c;
    struct iovec v[] = { { one, 3 }, { two, 15 } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 2, .msg_control = &c, .msg_controllen = sizeof c };
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    fds[0] = MUST(open("f", O_RDWR | O_CREAT, 0644));
    fds[1] = MUST(open("/dev/null", O_RDONLY));
    MUST(write(fds[0], "content", 7));
    hand_over(s[0], fds);
    SAY(recvmsg(s[1], &m, MSG_CMSG_CLOEXEC));
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    printf("%s|%s flags %x control %zu type %d\n", one, two, m.msg_flags & ~MSG_CMSG_CLOEXEC, (size_t)m.msg_controllen, h->cmsg_type);
    memcpy(got, CMSG_DATA(h), sizeof got);
    FACT(got[0] > fds[1] && got[1] > got[0]);
    SAY(pread(got[0], text, 7, 0));
    puts(text);
    SAY(read(got[1], text, 7));
    return 0;
}
