#!/bin/sh
# needs: perl
exec perl -e '
use POSIX ":sys_wait_h"; use Socket; $| = 1;
my %h = map { $_ => $_ * 2 } 1 .. 100; open my $null, ">", "/dev/null"; print $null join(" ", %h), rand(); close $null;
socketpair(my $near, my $far, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
my $pid = fork; if (!$pid) { syswrite $far, "from the child"; exit 4 }
sysread $near, my $text, 100; waitpid $pid, 0; print "$text ", $? >> 8, "\n";
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 10; }; print $@;
print `echo backticks`; print join(",", sort { $a <=> $b } map { $_ % 7 } 1 .. 10), "\n"; print time - $^T < 10 ? "ok\n" : "late\n";'
