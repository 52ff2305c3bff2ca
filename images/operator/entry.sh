# Starts a command of ./fridayctl, or `pulumi …` with the pinned tools and the stacks' state.
set -eu
home=/opt/friday-litellm
# A group below 500 is not read there; ssh looks at the number, the name and the folder.
id -un >/dev/null 2>&1 || printf 'operator:x:%s:10002::%s:/bin/sh\n' "$(id -u)" "$HOME" >>/var/lib/extrausers/passwd
export PYTHONPATH=$home
if [ "${1:-}" = pulumi ]; then
    eval "$("$home/.venv/bin/python" -P -m cli env)"
    exec "$@"
fi
exec "$home/.venv/bin/python" -P -m cli "$@"
