# shellcheck shell=sh
# Random faults, for workloads that are to survive them. Sourced by those, when they are run with KILL=SEED: the same faults
# in the same order for the same seed, at moments that the machine decides. Only under drd record.
#   SHAKES (default 6), SHAKES_KINDS (default "cut alone kill pause disk")

# random LIMIT: sets $drawn to 0..LIMIT-1 (a linear congruential generator: the same series on every machine)
random() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}

# for_a_while: 100 to 900 ms
for_a_while() {
    random 800
    sleep "0.$((100 + drawn))"
}

# Others that sync much make the nodes' disk slow.
disk_is_slow() {
    random 8
    dd if=/dev/zero of="$dir/noise" bs=4M count=$((4 + drawn)) oflag=dsync 2>/dev/null || true
    rm -f "$dir/noise"
}

# strike KIND NODE OTHER: numbers of nodes. `start` is the workload's.
strike() {
    case $1 in
    cut)
        "$drd" fault cut "n$2" "n$3"
        for_a_while
        "$drd" fault heal "n$2" "n$3"
        ;;
    alone)
        "$drd" fault cut "n$2"
        for_a_while
        "$drd" fault heal "n$2"
        ;;
    kill)
        node_kill "n$2"
        for_a_while
        start "$2"
        ;;
    pause)
        "$drd" fault pause "n$2"
        for_a_while
        "$drd" fault resume "n$2"
        ;;
    disk) disk_is_slow ;;
    esac
}

# shake SEED
shake() {
    seed=$(($1 * 2654435761 % 2147483648)) # seeds side by side must not begin alike
    kinds=${SHAKES_KINDS:-cut alone kill pause disk}
    # shellcheck disable=SC2086
    number_of_kinds=$(set -- $kinds && echo $#)
    for_a_while
    for shake in $(seq "${SHAKES:-6}"); do
        random "$number_of_kinds"
        kind=$(echo "$kinds" | cut -d ' ' -f $((drawn + 1)))
        random 3
        node=$((drawn + 1))
        random 2
        other=$(((node + drawn) % 3 + 1))
        echo "shake $shake: $kind n$node n$other"
        strike "$kind" $node $other
        for_a_while
    done
}
