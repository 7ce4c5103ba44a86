/* A server with a child for each connection. */
#include "net.h"

static void serve(int fd)
{
    char b[32];
    ssize_t n = MUST(read(fd, b, sizeof b));
    for (ssize_t i = 0; i < n; i++)
        b[i] = (char)(b[i] - 'a' + 'A');
    MUST(write(fd, b, (size_t)n));
    _exit(7);
}

static void *client(void *argument)
{
    char b[32] = "";
    int fd = connected4(argument);
    MUST(write(fd, "letters", 7));
    MUST(read(fd, b, sizeof b - 1));
    puts(b);
    close(fd);
    return NULL;
}

int main(void)
{
    struct sockaddr_in a;
    unbuffered();
    int listener = listening4(&a);
    for (int i = 0; i < 3; i++) {
        pthread_t t = start(client, &a);
        int fd = MUST(accept(listener, NULL, NULL));
        pid_t pid = MUST(fork());
        if (!pid)
            serve(fd);
        close(fd);
        pthread_join(t, NULL);
        say_wait("child", pid);
    }
    return 0;
}
