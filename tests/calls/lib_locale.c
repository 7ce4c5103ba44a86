/* setlocale, multibyte text, iconv with its modules. */
#include "check.h"
#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <wchar.h>

static void convert(const char *to, const char *from, char *text)
{
    char out[64];
    char *o = out;
    size_t in_left = strlen(text), out_left = sizeof out;
    iconv_t c = iconv_open(to, from);
    if (c == (iconv_t)-1) {
        printf("%s: %s\n", to, strerrorname_np(errno));
        return;
    }
    size_t r = iconv(c, &text, &in_left, &o, &out_left);
    printf("%s: %d %zu %08x\n", to, (int)r, sizeof out - out_left, hash(out, sizeof out - out_left));
    iconv_close(c);
}

int main(void)
{
    wchar_t wide[32];
    FACT(setlocale(LC_ALL, "C") != NULL);
    puts(nl_langinfo(CODESET));
    FACT(setlocale(LC_ALL, "no_SUCH.locale") == NULL);
    if (setlocale(LC_ALL, "C.UTF-8")) {
        puts(nl_langinfo(CODESET));
        printf("%d\n", (int)mbstowcs(wide, "gr\303\274n", 32));
    }
    convert("UTF-16LE", "UTF-8", "gr\303\274n");
    convert("ISO-8859-15", "UTF-8", "10 \342\202\254");
    convert("UTF-8", "ISO-8859-1", "\344\366\374");
    convert("no-such-code", "UTF-8", "x");
    return 0;
}
