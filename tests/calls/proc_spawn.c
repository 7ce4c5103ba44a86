/* posix_spawn: file actions, a missing program, a search in PATH, the signal mask of the child. */
#include "check.h"
#include <spawn.h>

extern char **environ;

int main(void)
{
    pid_t pid;
    posix_spawn_file_actions_t a;
    posix_spawnattr_t attr;
    sigset_t none;
    char b[64] = "";
    unbuffered();
    ZERO(posix_spawn(&pid, "/bin/echo", NULL, NULL, (char *[]){ "echo", "spawned", NULL }, environ));
    say_wait("echo", pid);
    printf("%s\n", strerrorname_np(posix_spawn(&pid, "/no/such/program", NULL, NULL, (char *[]){ "x", NULL }, environ)));
    printf("%s\n", strerrorname_np(posix_spawnp(&pid, "no-such-command", NULL, NULL, (char *[]){ "x", NULL }, environ)));
    posix_spawn_file_actions_init(&a);
    posix_spawn_file_actions_addopen(&a, 1, "out", O_WRONLY | O_CREAT, 0644);
    posix_spawn_file_actions_adddup2(&a, 1, 2);
    posix_spawnattr_init(&attr);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    block_signal(SIGTERM);
    ZERO(posix_spawnp(&pid, "sh", &a, &attr, (char *[]){ "sh", "-c", "echo to the file; kill -TERM $$; echo never", NULL }, environ));
    say_wait("sh", pid);
    MUST(read(MUST(open("out", O_RDONLY)), b, sizeof b));
    printf("%s", b);
    return 0;
}
