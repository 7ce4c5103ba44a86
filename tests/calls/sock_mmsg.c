/* sendmmsg and recvmmsg: several datagrams in a call. */
#include "net.h"
#include <sys/uio.h>

int main(void)
{
    int s[2];
    char in[4][8] = { "" };
    struct iovec out_v[3] = { { "a", 1 }, { "bb", 2 }, { "ccc", 3 } }, in_v[4];
    struct mmsghdr out[3] = { 0 }, got[4] = { 0 };
    for (int i = 0; i < 3; i++)
        out[i].msg_hdr = (struct msghdr){ .msg_iov = &out_v[i], .msg_iovlen = 1 };
    for (int i = 0; i < 4; i++) {
        in_v[i] = (struct iovec){ in[i], 7 };
        got[i].msg_hdr = (struct msghdr){ .msg_iov = &in_v[i], .msg_iovlen = 1 };
    }
    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    SAY(recvmmsg(s[1], got, 4, MSG_DONTWAIT, NULL));
    SAY(sendmmsg(s[0], out, 3, 0));
    printf("%u %u %u\n", out[0].msg_len, out[1].msg_len, out[2].msg_len);
    SAY(recvmmsg(s[1], got, 2, 0, NULL));
    SAY(recvmmsg(s[1], got + 2, 2, MSG_WAITFORONE, NULL));
    for (int i = 0; i < 4; i++)
        printf("%u %s\n", got[i].msg_len, in[i]);
    return 0;
}
