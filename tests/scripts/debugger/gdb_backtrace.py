"""gdb commands that print the function names of gdb's own `bt` whenever gdb_backtrace.c calls stop(), without the frames
of the library, whose number depends on the compiler. What bt says of trouble stays."""
import re

import gdb

LIBRARY = r"/(src|src/arch|include|include/co|include/co/arch)/[^/]+$"


def backtraces(title):
    gdb.execute("break stop", to_string=True)
    while True:
        gdb.execute("continue", to_string=True)
        if not gdb.selected_inferior().pid:
            break
        when = gdb.selected_frame().read_var("when").string()
        print(f"== {title}, {when}")
        for line in gdb.execute("bt 100", to_string=True).splitlines():
            frame = re.match(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+) \(.*?\)(?: at (\S+):\d+)?$", line)
            if frame is None:
                print("==", re.sub(r"^#\d+ +", "", line))
            elif not re.search(LIBRARY, frame.group(2) or "") and not frame.group(1).startswith("co_"):
                print("==", frame.group(1))
