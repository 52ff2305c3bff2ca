# Runs HAProxy, and lets it take without a gap what an update has written into /etc/friday.
# `manifest` there names each file with its checksum: while they differ, an update is still writing.
cd /etc/friday || exit 1
exec 3<> <(:) # nothing ever comes: what is read with a time limit waits without a process
fits() { sha256sum --check --strict --status manifest; }

# An update that was cut short may have left it like this: then what is there has to do.
for _ in {1..50}; do fits && break || read -r -t 0.2 -u 3; done
mapfile -t seen <manifest
cp manifest /tmp/taken
echo 1 >/tmp/servers # what HAProxy takes for no server known
haproxy -W -db -S /tmp/master.sock -f haproxy.cfg &
haproxy=$!
trap 'kill -USR1 $haproxy' USR1
trap 'kill -TERM $haproxy' TERM

while kill -0 $haproxy 2>/dev/null; do
    read -r -t 0.5 -u 3
    mapfile -t now <manifest
    [[ ${now[*]} != "${seen[*]}" ]] && fits || continue
    seen=("${now[@]}")
    # The next process begins with the replicas that this one knows, or the first users would find none.
    echo 'show servers state' | socat -t5 - UNIX-CONNECT:/tmp/haproxy.sock >/tmp/servers.new &&
        mv /tmp/servers.new /tmp/servers
    rm -f /tmp/refused
    said=$(echo reload | socat -t60 - UNIX-CONNECT:/tmp/master.sock)
    if [[ $said == Success=1* ]]; then
        cp manifest /tmp/taken
    else
        echo "$said" | tee /tmp/refused
    fi
done
wait $haproxy
