#!/bin/sh
# a command that was sent again is done again. Status 1
. "$(dirname "$0")/moves.sh"
team 1
ask 1 INCR k c 1
ask 1 INCR k c 1
echo "$answer"
case $answer in *" 1") verdict "" 0 ;; esac
verdict "the second answer is not that of the first" 1
