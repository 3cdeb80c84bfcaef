"""Reads traces as a viewer does, by a JSON parser that is not the library's, and checks what the Trace Event Format asks
of each event, and what trace.c promises of its tracks. check.py FILE..."""
import json
import sys

REQUIRED = {  # beside ph, pid and tid
    "M": {"name", "args"},
    "B": {"ts", "name", "cat"},
    "E": {"ts"},
    "i": {"ts", "name", "s"},
    "s": {"ts", "name", "cat", "id"},
    "f": {"ts", "name", "cat", "id"},
}
NAMES = {"plain", 'a "quoted" one', "back\\slash", "two\nlines", "\u00e9", "\ufffd"}


def check(path):
    with open(path, "rb") as file:
        trace = json.loads(file.read().decode("utf-8"))
    names, open_slices, arrows, last, closed = {}, {}, {}, 0, 0
    waits = set()
    for event in trace["traceEvents"]:
        phase, track = event["ph"], event["tid"]
        missing = REQUIRED[phase] - event.keys()
        assert not missing, f"{event} has no {missing}"
        assert isinstance(event["pid"], int) and isinstance(track, int), event
        if phase == "M":
            assert track not in names, f"track {track} has two names"
            names[track] = event["args"]["name"]
            continue
        assert track in names, f"{event}: nobody has named the track"
        assert event["ts"] >= last, f"{event} comes after a later one"
        last = event["ts"]
        stack = open_slices.setdefault(track, [])
        if phase == "B":
            assert not stack, f"{event} begins inside {stack}"
            stack.append(event["name"])
            waits.add(event["name"])
        elif phase == "E":
            assert stack, f"{event} ends nothing"
            stack.pop()
        elif phase == "s":
            assert stack == ["run"], f"{event} leaves no turn"
            arrows[event["name"], event["id"]] = track
        elif phase == "f":
            assert arrows.pop((event["name"], event["id"])) != track, event
        elif event["name"] == "closed":
            closed += 1
    assert not arrows, f"arrows that end nowhere: {arrows}"
    assert not any(open_slices.values()), f"not ended: {open_slices}"
    assert NAMES <= set(names.values()), names
    assert names[0] == "co_run"
    assert waits == {"run", "sleep", "join", "park"}, waits
    assert closed == 2, closed


for path in sys.argv[1:]:
    check(path)
