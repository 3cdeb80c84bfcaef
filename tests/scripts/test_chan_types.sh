#!/usr/bin/env bash
# Catches a use of a channel as one of another type that compiles: chan_types.c.
exec "$(dirname "$0")/test_generator_types.sh" "$(dirname "$0")/chan_types.c"
