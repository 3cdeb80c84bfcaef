#!/usr/bin/env bash
# Catches a generator of one element type that is handed to a helper of another, and compiles: itertools_types.c.
exec "$(dirname "$0")/test_generator_types.sh" "$(dirname "$0")/itertools_types.c"
