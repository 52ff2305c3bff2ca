"""Asks from inside the containers whether they reach OpenRouter, and names the hop that fails."""

from collections.abc import Mapping
from pathlib import Path

from components.free_models import OPENROUTER
from components.probes import ProbeClient
from components.settings.stack import StackSettings
from ops.deployment import Deployment
from ops.errors import CheckError
from ops.hosts.docker_host import DockerHost

MODELS = f"{OPENROUTER}/models"
_HOPS = ("name server", "connection", "certificate", "proxy", "status")
PROGRAM = (Path(__file__).parent / "way_out_probe.py").read_text(encoding="utf-8")
_NODE = (
    "fetch(process.argv[1]).then(async r=>{if(r.status!==200)return console.log('status: GET was answered with '"
    "+r.status);const d=(await r.json()).data;console.log('ok: '+d.filter(m=>m.id.endsWith(':free')).length+"
    "' free models are listed')}).catch(e=>{const c=e.cause||e,k=String(c.code||'');console.log((/NOTFOUND|AGAIN/"
    ".test(k)?'name server':/CERT|SIGN|ISSUER/.test(k)?'certificate':process.env.HTTPS_PROXY?'proxy':'connection')"
    "+': '+(c.message||k))})"
)
_WGET = (
    'm=$(wget -q -O /dev/null "$0" 2>&1) && echo "ok: it answers" || case "$m" in *resol*|*"bad address"*) '
    'echo "name server: $m";; *ertificate*) echo "certificate: $m";; *HTTP*) echo "status: $m";; '
    '*) echo "connection: $m";; esac'
)


def require(deployment: Deployment, hosts: Mapping[str, DockerHost], *, warn_only: bool) -> None:
    """Raise CheckError with each container that does not reach OpenRouter; with `warn_only` report them.

    Where the simulator stands in for it, nothing is asked.
    """
    parts, lines = [], []
    for part, command in commands(deployment.settings).items():
        for address, host in hosts.items():
            for container, said in host.run_in(deployment.name, part, command).items():
                if problem := failed_hop(said):
                    parts.append(part)
                    lines.append(f"{address}: {container}: {problem}")
    if warn_only:
        for line in lines:
            deployment.report("warning", f"OpenRouter is not reached from {line}")
    elif lines:
        what = f"{deployment.name}: OpenRouter is not reached by {' and '.join(sorted(set(parts)))}"
        fix = f"let these hosts out to {MODELS}, or set egress.proxy and egress.caFile; then ./fridayctl up"
        raise CheckError(what, f"{fix} {deployment.name}", details="\n".join(lines))


def commands(settings: StackSettings) -> dict[str, list[str]]:
    """Return the parts that call OpenRouter, and what asks inside their images; the others cannot be asked."""
    if settings.upstream != "openrouter":
        return {}
    friday = settings.friday
    own = friday.probe_client or ProbeClient.NODE if friday.image else ProbeClient.PYTHON
    found = {"litellm": ProbeClient.PYTHON, "friday": own}
    return {part: words for part, client in found.items() if (words := _command(client))}


def failed_hop(said: str) -> str:
    """Return the hop at which a way ends and the reason, "" for a way that leads through."""
    line = said.strip()
    hop, _, reason = line.partition(": ")
    if hop == "ok":
        return ""
    if hop in _HOPS:
        return f"{hop}: {' '.join(reason.split())[:300]}"
    return f"it could not be asked ({line[:300] or 'nothing was printed'})"


def _command(client: ProbeClient) -> list[str]:
    match client:
        case ProbeClient.PYTHON:
            return ["python3", "-I", "-c", PROGRAM, MODELS]
        case ProbeClient.NODE:
            return ["node", "-e", _NODE, MODELS]
        case ProbeClient.WGET:
            return ["sh", "-c", _WGET, MODELS]
        case _:
            return []
