/* localtime, strftime, mktime, time zones from files. */
#include "check.h"

static void show(const char *zone)
{
    char text[64];
    time_t t = 1700000000;
    setenv("TZ", zone, 1);
    tzset();
    struct tm *tm = localtime(&t);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", tm);
    printf("%s %d\n", text, mktime(tm) == t);
}

int main(void)
{
    struct tm tm = { 0 };
    time_t now = time(NULL), back;
    FACT(localtime(&now) != NULL && (back = mktime(localtime(&now))) == now);
    show("UTC");
    show("Europe/Paris");
    show("EST5EDT");
    show("No/Such");
    FACT(strptime("2021-03-04 05:06:07", "%Y-%m-%d %H:%M:%S", &tm) != NULL);
    printf("%ld %s", (long)timegm(&tm), asctime(&tm));
    return 0;
}
