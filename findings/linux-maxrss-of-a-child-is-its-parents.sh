#!/bin/sh
# What: Linux 6.18, Python 3.11.7's subprocess and os.wait4: the most memory that a child used (ru_maxrss).
# Expected: /bin/true, started by a program that holds 400 MB, used one or two.
# Seen: 400 MB. A child begins with its parent's high-water mark, and execve keeps it; VmHWM in /proc is the child's own.
# Needs: Linux and Python 3.11 or newer, no package.
set -eu

python3 - <<'PY'
import os
import subprocess
import sys

HELD = 400_000_000


def largest(arguments):
    """Return the megabytes that wait4 says a command used at most."""
    child = subprocess.Popen(arguments)
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return usage.ru_maxrss // 1024


before = largest(["/bin/true"])
held = bytearray(HELD)
after = largest(["/bin/true"])
mark = "import re; print(int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
own = int(subprocess.run([sys.executable, "-c", mark], capture_output=True, text=True, check=True).stdout)
print(f"/bin/true by wait4: {before} MB from a small parent, {after} MB from one that holds {HELD // 2**20} MB")
print(f"a child's own VmHWM, from the same parent: {own} MB")
sys.exit(0 if after > 300 and own < 100 else 1)
PY
