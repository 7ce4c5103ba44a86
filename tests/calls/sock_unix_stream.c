/* A unix stream socket with a path; SO_PEERCRED. */
#include "net.h"

int main(void)
{
    struct sockaddr_un a = unix_name("sock"), back;
    socklen_t size = sizeof back;
    struct ucred who;
    char b[16] = "";
    int listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(connect(fd, (struct sockaddr *)&a, sizeof a));
    SAY(bind(listener, (struct sockaddr *)&a, sizeof a));
    SAY(connect(fd, (struct sockaddr *)&a, sizeof a));
    SAY(listen(listener, 4));
    SAY(connect(fd, (struct sockaddr *)&a, sizeof a));
    int other = MUST(accept(listener, (struct sockaddr *)&back, &size));
    printf("peer %d\n", (int)size);
    size = sizeof who;
    SAY(getsockopt(other, SOL_SOCKET, SO_PEERCRED, &who, &size));
    FACT(who.pid == getpid() && who.uid == getuid());
    SAY(write(other, "from server", 11));
    SAY(read(fd, b, sizeof b));
    puts(b);
    size = sizeof back;
    SAY(getpeername(fd, (struct sockaddr *)&back, &size));
    puts(back.sun_path);
    close(other);
    SAY(read(fd, b, sizeof b));
    SAY(send(fd, "x", 1, MSG_NOSIGNAL));
    return 0;
}
