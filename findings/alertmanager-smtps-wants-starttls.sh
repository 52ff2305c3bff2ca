#!/bin/sh
# What: Alertmanager 0.25.0 (Debian 12; the same code in 0.28.1, Debian 13), a mail
#   server on port 465, which begins with TLS (RFC 8314), require_tls as it is by default.
# Expected: "require_tls" is met by a connection that is TLS from its first byte.
# Seen: it connects by TLS, asks for STARTTLS on top, finds none and sends nothing:
#   "'require_tls' is true (default) but ... does not advertise the STARTTLS extension".
#   With require_tls: false the same mail is sent, by TLS all the same.
# Needs: python3, openssl; root, for port 465 of 127.0.0.1; Debian 12 with current
#   package lists.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$tmp/packages"
(
    cd "$tmp/packages"
    apt-get download prometheus-alertmanager=0.25.0-1+b4 >log 2>&1 || { cat log >&2; exit 1; }
    dpkg -x ./*.deb "$tmp/root"
)
openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout "$tmp/key.pem" \
    -out "$tmp/cert.pem" -subj /CN=test -days 2 -addext subjectAltName=IP:127.0.0.1 2>"$tmp/log" \
    || { cat "$tmp/log" >&2; exit 1; }

cat > "$tmp/check.py" <<'PYTHON'
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

folder = sys.argv[1]
said = []


def serve(listening, context):
    while True:
        connection, _ = listening.accept()
        with context.wrap_socket(connection, server_side=True) as secure, secure.makefile("rwb") as lines:
            def say(line):
                lines.write(line + b"\r\n")
                lines.flush()
            say(b"220 test")
            while line := lines.readline().strip():
                said.append(line.split(b" ")[0].decode())
                if line == b"DATA":
                    say(b"354 go on")
                    while lines.readline() != b".\r\n":
                        pass
                say(b"221 bye" if line == b"QUIT" else b"250 well")
                if line == b"QUIT":
                    break


def tried(require_tls):
    """Return what Alertmanager says to the server for an alert, and whether it logs the missing STARTTLS."""
    said.clear()
    mail = {"to": "a@example.com", "from": "b@example.com", "smarthost": "127.0.0.1:465", "require_tls": require_tls,
            "tls_config": {"ca_file": f"{folder}/cert.pem"}}
    route = {"receiver": "mail", "group_wait": "0s"}
    with open(f"{folder}/config.yml", "w") as file:
        json.dump({"route": route, "receivers": [{"name": "mail", "email_configs": [mail]}]}, file)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [f"{folder}/root/usr/bin/prometheus-alertmanager", f"--config.file={folder}/config.yml",
               f"--storage.path={folder}/{require_tls}", f"--web.listen-address=127.0.0.1:{port}",
               "--cluster.listen-address="]
    url = f"http://127.0.0.1:{port}"
    with open(f"{folder}/alertmanager.log", "w+") as log, subprocess.Popen(command, stderr=log) as running:
        try:
            until(lambda: answers(f"{url}/-/ready"))
            alert = json.dumps([{"labels": {"alertname": "x"}}]).encode()
            urllib.request.urlopen(urllib.request.Request(f"{url}/api/v2/alerts", alert, {"content-type": "application/json"}))
            until(lambda: "DATA" in said or "STARTTLS" in open(log.name).read())
            return "DATA" in said, "STARTTLS extension" in open(log.name).read()
        finally:
            running.terminate()


def answers(url):
    try:
        return urllib.request.urlopen(url).status == 200
    except urllib.error.URLError:
        return False


def until(true):
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, open(f"{folder}/alertmanager.log").read()
        time.sleep(0.1)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
with socket.create_server(("127.0.0.1", 465)) as listening:
    threading.Thread(target=serve, args=(listening, context), daemon=True).start()
    seen = {require: tried(require) for require in (True, False)}
for require, (sent, complained) in seen.items():
    print(f"require_tls {require}: mail sent: {sent}; missing STARTTLS: {complained}")
if seen != {True: (False, True), False: (True, False)}:
    sys.exit("behaviour changed")
PYTHON
# Debian's build reads its templates there; in a mount namespace of this script's own nothing else sees them.
mount="mount -t overlay overlay -o lowerdir=$tmp/root/usr/share:/usr/share /usr/share"
unshare -m sh -c "$mount && exec python3 '$tmp/check.py' '$tmp'"
