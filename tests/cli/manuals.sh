#!/bin/sh
# Man pages without a complaint; completions asked as shells ask them: all that `drd help` and `drd NAME --help` list is offered.
. "$(dirname "$0")/lib.sh"
manuals=$(dirname "$drd")/manuals

command -v mandoc >/dev/null && command -v bash >/dev/null || { echo "no mandoc, no bash"; exit 77; }

expect 0 mandoc -T lint "$manuals"/man/man1/*.1
[ ! -s out ] || wrong "mandoc -T lint complains"

# offered SHELL LINE-WORDS...: what it offers for the last word, one a line.
offered() {
    shell=$1
    shift
    case $shell in
    bash)
        bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _drd; printf "%s\n" "${COMPREPLY[@]}"' \
            "$manuals/bash-completion/completions/drd" "$@" ;;
    fish)
        HOME=$scratch/home fish --no-config -c 'source $argv[1]; complete -C "$argv[2..]"' \
            "$manuals/fish/vendor_completions.d/drd.fish" "$@" | cut -f1 ;;
    esac
}

# offers SHELL WORDS WANTED...
offers() {
    shell=$1 words=$2
    shift 2
    # shellcheck disable=SC2086
    case $words in
    *" ") offered "$shell" $words "" >out 2>err ;;
    *) offered "$shell" $words >out 2>err ;;
    esac
    [ ! -s err ] || wrong "$shell, drd $words: an error"
    for wanted; do
        grep -qx -- "$wanted" out || wrong "$shell, $words: $wanted is not offered"
    done
}

commands=$("$drd" help | awk '/^  [a-z]/ { print $1 }')
options_of() {
    "$drd" "$1" --help | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}

mkdir -p .drd/runs .drd/tags sub
echo 20260101T000000-abc1234.drd >.drd/tags/flaky
: >.drd/runs/20260101T000000-abc1234.drd
: >file.drd

for shell in bash fish; do
    command -v $shell >/dev/null || { echo "no $shell"; continue; }
    # shellcheck disable=SC2086
    offers $shell "drd " $commands
    for command in $commands; do
        # shellcheck disable=SC2046
        offers $shell "drd $command --" $(options_of "$command")
    done
    offers $shell "drd record --keep " always failure
    ! grep -q file.drd out || wrong "$shell: files where words are wanted"
    offers $shell "drd explain " @ abc1234 flaky file.drd
    offers $shell "drd explain --no-source abc" abc1234
    offers $shell "drd bisect " @ abc1234 file.drd
    offers $shell "drd help tri" triage
    offers $shell "drd fault " cut heal kill pause resume
    offers $shell "drd triage --cache s" 'sub/*'
    offers $shell "drd record ech" echo
done
cd sub
offers bash "drd show a" abc1234
cd ..
offers bash "drd record --keep = f" failure
offers bash "drd triage --junit f" file.drd
offers bash "drd fault cut " ''

if command -v zsh >/dev/null; then
    expect 0 zsh -n "$manuals/zsh/_drd"
fi
leave
