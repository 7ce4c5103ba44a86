/* ioctl, isatty, ttyname on what is no terminal; a pseudo terminal. */
#include "check.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

int main(void)
{
    struct winsize w = { 24, 80, 0, 0 };
    struct termios t;
    char b[64] = "";
    int p[2], on = 1;
    MUST(pipe(p));
    SAY(isatty(p[0]));
    SAY(ioctl(p[0], TIOCGWINSZ, &w));
    SAY(ioctl(p[0], FIONBIO, &on));
    SAY(ioctl(p[0], FIOCLEX));
    SAY(ioctl(99, TCGETS, &t));
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) {
        printf("no terminals\n");
        return 0;
    }
    int slave = MUST(open(ptsname(master), O_RDWR | O_NOCTTY));
    SAY(isatty(slave));
    SAY(ioctl(slave, TIOCSWINSZ, &w));
    w.ws_row = 0;
    SAY(ioctl(master, TIOCGWINSZ, &w));
    printf("%d %d\n", w.ws_row, w.ws_col);
    MUST(tcgetattr(slave, &t));
    t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    SAY(tcsetattr(slave, TCSANOW, &t));
    SAY(write(master, "typed", 5));
    SAY(read(slave, b, sizeof b));
    puts(b);
    return 0;
}
