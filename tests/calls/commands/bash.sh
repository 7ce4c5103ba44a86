#!/bin/bash
# needs: bash
exec bash -c 'a=(x y z); echo ${#a[@]} ${a[-1]}; exec 3<>file; echo text >&3; read -r -t 0.01 line < <(sleep 1); echo $?
coproc cat; echo through >&"${COPROC[1]}"; read -r l <&"${COPROC[0]}"; echo $l
set -o pipefail; false | true; echo $?; [[ $RANDOM -ge 0 && $EPOCHSECONDS -gt 1600000000 ]] && echo random; diff <(seq 3) <(seq 4); exit 8'
