#!/bin/sh
# The scene of T09b. Status 1
. "$(dirname "$0")/T09b.sh"
