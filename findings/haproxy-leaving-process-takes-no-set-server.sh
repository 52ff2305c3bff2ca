#!/bin/sh
# What: HAProxy 2.6.12 (Debian 12) in master-worker mode, reloaded while a long
#   answer runs, so that the old process stays to finish it; then the master's
#   socket, which leads to each process (@!PID).
# Expected: the old process takes the commands of the runtime API until it has
#   ended, so an operator can still send its server's next requests elsewhere.
# Seen: it answers "show servers state" with its whole table, and refuses
#   "set server ... state maint" with "Proxy is disabled." for the server whose
#   answer it is still carrying. The new process takes the same command.
# Needs: python3; Debian 12 with current package lists. Listens on 127.0.0.1.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$tmp/packages"
(
    cd "$tmp/packages"
    apt-get download haproxy=2.6.12-1+deb12u4 liblua5.3-0=5.3.6-2 \
        libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4 \
        >log 2>&1 || { cat log >&2; exit 1; }
    for package in *.deb; do dpkg -x "$package" "$tmp/root"; done
)
lua=$(find "$tmp/root" -name 'liblua5.3.so.0')

cat > "$tmp/check.py" <<'PYTHON'
import signal
import socket
import subprocess
import sys
import time

haproxy, folder = sys.argv[1:]
master = f"{folder}/master"
signal.signal(signal.SIGTERM, lambda *_: sys.exit("took too long"))


def ask(command):
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(master)
        asked.sendall(command.encode() + b"\n")
        asked.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: asked.recv(65536), b"")).decode().strip()


def workers():
    """The processes, the present one first; a reload leaves the old one below it."""
    return [line.split()[0] for line in ask("show proc").splitlines() if " worker " in f" {line} "]


def wait(what, found):
    for _ in range(200):
        try:
            if answer := found():
                return answer
        except OSError:
            pass  # the socket is made anew
        time.sleep(0.05)
    sys.exit(f"not in time: {what}")


server = socket.create_server(("127.0.0.1", 0))
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open(f"{folder}/haproxy.cfg", "w") as file:
    file.write(f"""
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend users
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server one 127.0.0.1:{server.getsockname()[1]}
""")
running = subprocess.Popen([haproxy, "-W", "-S", master, "-f", f"{folder}/haproxy.cfg"], stderr=subprocess.DEVNULL)
try:
    [old] = wait("the first process", workers)
    client = wait("the frontend", lambda: socket.create_connection(("127.0.0.1", port)))
    client.sendall(b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
    answering, _ = server.accept()
    answering.recv(65536)
    answering.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun")  # and not ended
    client.recv(65536)

    running.send_signal(signal.SIGUSR2)
    wait("the reload", lambda: len(workers()) == 2)
    new = next(each for each in workers() if each != old)
    wait("the old process to leave", lambda: "Stopping: 1" in ask(f"@!{old}; show info"))

    shown = ask(f"@!{old}; show servers state app")
    refused = ask(f"@!{old}; set server app/one state maint")
    taken = ask(f"@!{new}; set server app/one state maint")
    answering.sendall(b"last")
    rest = client.recv(65536)
finally:
    running.terminate()
    running.wait()

print(f"the old process shows its server: {'one' in shown.split()}")
print(f"told to take it out, it says: {refused!r}; the new one says: {taken!r}")
print(f"and it carries the server's answer to its end: {rest!r}")
if "one" not in shown.split() or refused != "Proxy is disabled." or taken or rest != b"last":
    sys.exit("the behaviour has changed")
PYTHON

LD_LIBRARY_PATH="${lua%/*}" timeout 80 python3 "$tmp/check.py" "$tmp/root/usr/sbin/haproxy" "$tmp"
