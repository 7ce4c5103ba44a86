#!/bin/sh
# needs: make
printf 'all: a b c\n%%:\n\t@echo $@ >$@\n\t@sleep 0.01\n' >Makefile
make -s -j3 && cat a b c && make -s nothing/there; echo $?
