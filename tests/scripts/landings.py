#!/usr/bin/env python3
"""landings.py OBJECT OBJDUMP OBJCOPY ARCH LEAST: every address that a switch computes to come back to carries a landing
instruction, and so does the second landing that the word before it leads to. At least LEAST such addresses must be found."""
import re
import subprocess
import sys
import tempfile

LANDING = {"x86_64": bytes.fromhex("f30f1efa"), "aarch64": bytes.fromhex("9f2403d5")}  # endbr64, bti j
# As GNU's and LLVM's disassemblers write it.
COMPUTES = {
    "x86_64": re.compile(r"\bleaq?\b.*\(%rip\).*# (?:0x)?([0-9a-f]+)"),
    "aarch64": re.compile(r"\badr\b\s+x\d+, (?:0x)?([0-9a-f]+)"),
}


def main():
    path, objdump, objcopy, arch, least = sys.argv[1:]
    with tempfile.NamedTemporaryFile() as raw:
        subprocess.run([objcopy, "-O", "binary", "--only-section=.text", path, raw.name], check=True)
        with open(raw.name, "rb") as written:  # it may be another file by now
            text = written.read()
    listing = subprocess.run([objdump, "-dr", "-j", ".text", path], check=True, capture_output=True, text=True).stdout
    lines = listing.splitlines()
    found, wrong = 0, 0
    for line, following in zip(lines, lines[1:] + [""]):
        computed = COMPUTES[arch].search(line)
        if not computed or "R_X86_64" in following or "R_AARCH64" in following:
            continue
        address = int(computed[1], 16)
        # Before the landing of a resume there is code, which is never so small a number.
        distance = int.from_bytes(text[address - 4 : address], "little", signed=True)
        targets = [address, address + distance] if -256 < distance < 0 else [address]
        for target in targets:
            found += 1
            if text[target : target + 4] != LANDING[arch]:
                wrong += 1
                print(f"{path}: no landing instruction at {target:#x}, used by: {line.strip()}")
    if found < int(least):
        print(f"{path}: {found} landings, at least {least} expected")
    sys.exit(wrong != 0 or found < int(least))


main()
