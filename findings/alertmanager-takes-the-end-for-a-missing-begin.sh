#!/bin/sh
# What: Alertmanager 0.25.0 (Debian 12), POST /api/v2/alerts of an alert with an
#   "endsAt" in an hour and without "startsAt", which the API says is optional.
# Expected: it begins now, as an alert does that has neither.
# Seen: it is active at once, and its "startsAt" is its "endsAt": messages and pages
#   say that it began in an hour. With "startsAt" it is right, and of one that is
#   posted again the earliest begin stays.
# Needs: python3; root, for a mount of its own; Debian 12 with current package lists.
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

cat > "$tmp/check.py" <<'PYTHON'
import datetime as dt
import json
import socket
import subprocess
import sys
import time
import urllib.request

folder = sys.argv[1]
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
with open(f"{folder}/alertmanager.yml", "w") as file:
    json.dump({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}, file)
url = f"http://127.0.0.1:{port}/api/v2/alerts"


def moment(hours=0.0):
    return (dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=hours)).isoformat()


def post(name, **times):
    body = json.dumps([{"labels": {"alertname": name}, **times}]).encode()
    headers = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5).close()


def begins():
    with urllib.request.urlopen(url, timeout=5) as answer:
        return {each["labels"]["alertname"]: (each["startsAt"], each["endsAt"]) for each in json.load(answer)}


with open(f"{folder}/log", "w") as log:
    process = subprocess.Popen(
        [
            f"{folder}/root/usr/bin/prometheus-alertmanager",
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stderr=log,
        cwd=folder,
    )
try:
    for _ in range(100):
        try:
            begins()
            break
        except OSError:
            if process.poll() is not None:
                sys.exit(open(f"{folder}/log").read())
            time.sleep(0.1)
    post("without", endsAt=moment(1))
    post("with", startsAt=moment(), endsAt=moment(1))
    first = begins()
    time.sleep(1)
    post("with", startsAt=moment(), endsAt=moment(1))
    again = begins()
    now = moment()
    post("with", startsAt=now, endsAt=now)
    over = begins()
finally:
    process.terminate()
    process.wait()
for name, (starts, ends) in first.items():
    print(f"{name} startsAt: from {starts} to {ends}")
print("posted again, it begins when it did:", again["with"][0] == first["with"][0])
print("posted with an end that is now, it is over:", "with" not in over)
starts, ends = first["without"]
if starts != ends or again["with"][0] != first["with"][0] or "with" in over:
    sys.exit("behaviour changed")
PYTHON

# Debian's build reads its templates there; in a mount namespace of this script's own nothing else sees them.
mount="mount -t overlay overlay -o lowerdir=$tmp/root/usr/share:/usr/share /usr/share"
NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    unshare -m sh -c "$mount && exec timeout 60 python3 '$tmp/check.py' '$tmp'"
