#!/bin/sh
# The scene of T07a. Status 1
. "$(dirname "$0")/T07a.sh"
