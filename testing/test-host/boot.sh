# The boot of a test host: sshd and dockerd come up, and dockerd goes down in order at the stop signal.
set -eu
mkdir -p /run/sshd ~root/.ssh
chmod 700 ~root/.ssh
echo "$AUTHORIZED_KEY" > ~root/.ssh/authorized_keys
key=/etc/ssh/ssh_host_ed25519_key
[ -f $key ] || ssh-keygen -q -t ed25519 -N '' -f $key
/usr/sbin/sshd -o HostKey=$key -o PasswordAuthentication=no

# With cgroup v1 its containers' groups stand below this container's own: the outer engine removes them with it.
group=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
mkdir -p /etc/docker
echo "$DAEMON_JSON" > /etc/docker/daemon.json
stopping=
trap 'stopping=yes; kill $!' TERM
while [ -z "$stopping" ]; do
    # As a service manager does: one that died is started again, and what it left must not stand in the way.
    rm -f /var/run/docker.pid
    dockerd --host=unix:///var/run/docker.sock --host=unix:///rig/docker.sock --group="$SOCKET_GROUP" \
        ${group:+--cgroup-parent="$group/host"} &
    wait $! || true # ends at the signal
    wait $! || true # ends with dockerd
done
