# Runs HAProxy, and lets it take without a gap what an update has written into /etc/friday.
# `manifest` there names each file with its checksum: while they differ, an update is still writing.
#
# SOCKETS is a folder that this container shares with the one that holds the host's ports, and with its own predecessor or
# successor. HAProxy listens there too, in a folder of its own, and `current` leads to that of the edge that gets what
# comes. One that is alone and has its ports itself, as in tests of what it lets through, has no SOCKETS.
cd /etc/friday || exit 1
exec 3<> <(:) # nothing ever comes: what is read with a time limit waits without a process
fits() { sha256sum --check --strict --status manifest; }
ask() { socat -t5 - "UNIX-CONNECT:$1" 2>/dev/null; }

current() { [[ $SOCKETS/current -ef $OWN_SOCKETS ]]; }
answers() { [[ $(printf 'GET /healthz HTTP/1.0\r\n\r\n' | ask "$1/8404") == *' 200 '* ]]; }
another() {
    local each
    for each in "$SOCKETS"/*/; do
        each=${each%/}
        [[ $each -ef $OWN_SOCKETS || -L $each ]] || { answers "$each" && echo "${each##*/}" && return; }
    done
    return 1
}
hand_to() { ln -sfn "$1" "$OWN_SOCKETS.link" && mv -fT "$OWN_SOCKETS.link" "$SOCKETS/current"; }
knows_replicas() {
    local servers
    servers=$(echo 'show stat -1 4 -1' | ask /tmp/haproxy.sock | cut -d, -f1,18)
    [[ $servers == *friday,UP* && $servers == *litellm,UP* ]]
}
# One that nobody has followed yet waits until it can send users on, for 10 s at most; then, and when no other edge
# answers, what comes is for this one.
look_around() {
    if answers "$SOCKETS/current"; then
        [[ -e $OWN_SOCKETS/was-current ]] && return
        knows_replicas || ((looks++ >= 20)) || return
    fi
    hand_to "$HOSTNAME" && : >"$OWN_SOCKETS/was-current"
    forget_dead
}
# One that was killed leaves its folder, and in a Swarm none comes back under the same name. What answers nobody after
# an hour is such a one.
forget_dead() {
    local each
    while read -r each; do
        answers "$each" || rm -rf "$each"
    done < <(find "$SOCKETS" -mindepth 1 -maxdepth 1 -type d -mmin +60)
}
# Web sockets count; a connection that is kept and idle does not. Also in what a change of the files has left behind.
something_runs() {
    local process kind rest
    while read -r process kind rest; do
        [[ $kind == worker ]] && echo "@!$process show sess" | ask /tmp/master.sock
    done < <(echo 'show proc' | ask /tmp/master.sock) | grep -q ' fe=[a-z]'
}
leave() {
    local idle_looks=0 most_looks=20 looks=0 other
    if other=$(another); then
        while current && ((looks++ < 30)); do read -r -t 0.5 -u 3; done
        current && hand_to "$other"
        read -r -t 1 -u 3 # what came before that has been accepted by now
        # Kept connections are told with their next answer to go; those that have none for so long are closed.
        idle_looks=20 most_looks=-1
    fi
    : >/tmp/leaving
    kill -USR1 $haproxy
    rm -rf "$OWN_SOCKETS"
    looks=0
    while kill -0 $haproxy 2>/dev/null && ((looks++ != most_looks)); do
        ((looks > idle_looks)) && ! something_runs && break
        read -r -t 0.5 -u 3
    done
    kill -TERM $haproxy 2>/dev/null
    wait $haproxy
    exit
}

# An update that was cut short may have left it like this: then what is there has to do.
for _ in {1..50}; do fits && break || read -r -t 0.2 -u 3; done
mapfile -t seen <manifest
cp manifest /tmp/taken
echo 1 >/tmp/servers # what HAProxy takes for no server known
if [[ $SOCKETS ]]; then
    export OWN_SOCKETS=$SOCKETS/$HOSTNAME
    mkdir -p "$OWN_SOCKETS"
fi
haproxy -W -db -S /tmp/master.sock -f haproxy.cfg &
haproxy=$!
if [[ $SOCKETS ]]; then
    trap 'leaving=1' USR1
else
    trap 'kill -USR1 $haproxy' USR1
fi
trap 'kill -TERM $haproxy' TERM

while kill -0 $haproxy 2>/dev/null; do
    read -r -t 0.5 -u 3
    if [[ $SOCKETS ]]; then
        [[ $leaving ]] && leave
        current || look_around
    fi
    mapfile -t now <manifest
    [[ ${now[*]} != "${seen[*]}" ]] && fits || continue
    seen=("${now[@]}")
    # The next process begins with the replicas that this one knows, or the first users would find none.
    echo 'show servers state' | ask /tmp/haproxy.sock >/tmp/servers.new && mv /tmp/servers.new /tmp/servers
    rm -f /tmp/refused
    said=$(echo reload | socat -t60 - UNIX-CONNECT:/tmp/master.sock)
    if [[ $said == Success=1* ]]; then
        cp manifest /tmp/taken
    else
        echo "$said" | tee /tmp/refused
    fi
done
wait $haproxy
