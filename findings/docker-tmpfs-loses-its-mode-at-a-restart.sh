#!/bin/sh
# What: Docker 20.10.24 with runc 1.1.5 (Debian 12): `--tmpfs /logs:mode=1777`, where
#   the image has no folder /logs, for a container that is not root's.
# Expected: the folder has mode 1777 at each start, and the user may write there.
# Seen: so it is at the first start. At each later one (docker restart, a restart
#   policy, a reboot of the host) it has mode 755 and is root's: runc gives a tmpfs the
#   mode of the folder below it, which it made itself at the first start. With
#   `uid=1000` beside it the folder is the user's at each start.
# Needs: a Docker engine with that runc, root's group or docker's, Debian 12 with
#   current package lists. Makes an image and two containers, and removes them.
set -eu

tmp=$(mktemp -d)
name=finding-tmpfs-$$
trap 'docker rm -f $name-mode $name-uid >/dev/null 2>&1 || true
      docker rmi -f $name >/dev/null 2>&1 || true
      rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$tmp/root/bin"
(
    cd "$tmp"
    apt-get download busybox-static=1:1.35.0-4+deb12u1+b1 >log 2>&1 || { cat log >&2; exit 1; }
    dpkg -x busybox-static_*.deb unpacked
    cp unpacked/bin/busybox root/bin/busybox
)
tar -C "$tmp/root" -c . | docker import - "$name" >/dev/null

# mode_of CONTAINER OPTIONS: the folder's mode at the first start and at the second, and whether the user may write.
mode_of() {
    docker create --name "$1" --user 1000:1000 --tmpfs "/logs:$2" "$name" \
        /bin/busybox sh -c 'm=$(/bin/busybox stat -c %a /logs); /bin/busybox touch /logs/x && echo $m yes || echo $m no' \
        >/dev/null
    docker start -a "$1" 2>/dev/null
    docker start -a "$1" 2>/dev/null
}

mode=$(mode_of "$name-mode" mode=1777 | tr '\n' ';')
uid=$(mode_of "$name-uid" mode=1777,uid=1000 | tr '\n' ';')
echo "mode=1777:          $mode"
echo "mode=1777,uid=1000: $uid"
[ "$mode" = "1777 yes;755 no;" ] && [ "$uid" = "1777 yes;755 yes;" ] || { echo "the behaviour has changed"; exit 1; }
