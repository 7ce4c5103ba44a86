#!/bin/sh
# needs: awk
exec awk 'BEGIN { srand(3); for (i = 0; i < 1000; i++) s += i; print s; while (("echo from; echo command" | getline line) > 0) print line;
  system("exit 0"); print "to sort b" | "sort"; print "to sort a" | "sort"; close("sort"); exit 2 }'
