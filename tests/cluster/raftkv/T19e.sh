#!/bin/sh
# The scene of T19c. Status 1
. "$(dirname "$0")/T19c.sh"
