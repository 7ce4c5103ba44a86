#!/bin/sh
# Small programs, one call or two each.
date -u -d @0; id -u >/dev/null && echo id
uname -s; basename /a/b; printf '%05d\n' 42; expr 6 \* 7; factor 1234567
dd if=/dev/zero bs=1k count=100 2>/dev/null | cksum
head -c 64 /dev/urandom | wc -c
timeout 0.1 sleep 10; echo $?
nice true && env -i /bin/echo clean
stat -c %s /dev/null; df . >/dev/null && echo df
split -l 2 - part <<END
1
2
3
END
cat partaa partab; od -c partab; cp partaa copy; mv copy moved; cmp partaa moved && echo same
tee t1 t2 <partaa >/dev/null; cat t1 t2; xargs -P 3 -n 1 echo <partaa | sort
