"""The faults of a stack's parts, on one host."""

from docker.models.containers import Container

from testing.faults import breaks, crowds
from testing.faults.fault import DEADLINE_SECONDS, Fault, Promise
from testing.project import Project

PartFault = Fault[Project]

_SWITCH_SECONDS = 12.0
"""The edge asks a replica three times, 3 s each, before it is out; then its calls go elsewhere."""
_BREAKER_SECONDS = 35.0
"""A breaker's longest pause (30 s), and the calls that close it."""
_BEHIND_THE_EDGE = ("friday", "litellm", "redis", "redis-exporter", "prometheus", "alertmanager")
"""All but the simulator: it is OpenRouter."""
_NOTHING = "nothing"
_FALLBACK = "the gateway's users are answered by the direct path"


def _one(project: Project, part: str) -> Container:
    return project.containers(part)[0]


def _all(project: Project, *parts: str) -> list[Container]:
    return [each for part in parts for each in project.containers(part)]


PARTS: tuple[PartFault, ...] = (
    Fault(
        "a gateway replica is killed",
        "`docker kill` of one of two",
        "`docker start`",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: breaks.killed(_one(project, "litellm")),
        lasts=5,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "a gateway replica hangs",
        "SIGSTOP to one of two",
        "SIGCONT",
        "some answers are late: after six tenths of its time a call is asked on the direct path too",
        Promise.ANSWERED,
        lambda project: breaks.stopped(_one(project, "litellm")),
        lasts=_SWITCH_SECONDS,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "a gateway replica is slow",
        "one of two gets a fiftieth of a processor",
        "the limit is lifted",
        "some answers are late, or come from the direct path",
        Promise.ANSWERED,
        lambda project: breaks.starved(0.02, _one(project, "litellm")),
        lasts=_SWITCH_SECONDS,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "all gateway replicas are gone",
        "`docker kill` of both",
        "`docker start`",
        _FALLBACK,
        Promise.ANSWERED,
        lambda project: breaks.killed(*_all(project, "litellm")),
        lasts=8,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "all gateway replicas hang",
        "SIGSTOP to both",
        "SIGCONT",
        f"{_FALLBACK}, the first of them late",
        Promise.ANSWERED,
        lambda project: breaks.stopped(*_all(project, "litellm")),
        lasts=_SWITCH_SECONDS,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "the gateway's memory limit is hit",
        "one of two replicas takes memory until the kernel kills it",
        "the engine starts it again",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: breaks.out_of_memory(_one(project, "litellm")),
        lasts=1,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "the gateway's network is cut",
        "both replicas are taken out of the network that Redis and OpenRouter are in",
        "they are put back",
        _FALLBACK,
        Promise.ANSWERED,
        lambda project: breaks.cut_off(project, "gateway", *_all(project, "litellm")),
        lasts=8,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "a Friday replica is killed",
        "`docker kill` of one of two",
        "`docker start`",
        "what it was answering ends with 502; a chat is not asked twice by itself. The next calls go to the other one",
        Promise.ENDED,
        lambda project: breaks.killed(_one(project, "friday")),
        lasts=5,
    ),
    Fault(
        "a Friday replica hangs",
        "SIGSTOP to one of two",
        "SIGCONT",
        "what it was answering ends with 502 once the edge has taken it out",
        Promise.ENDED,
        lambda project: breaks.stopped(_one(project, "friday")),
        lasts=_SWITCH_SECONDS,
    ),
    Fault(
        "Friday's memory limit is hit",
        "one of two replicas takes memory until the kernel kills it",
        "the engine starts it again",
        "what it was answering ends with 502",
        Promise.ENDED,
        lambda project: breaks.out_of_memory(_one(project, "friday")),
        lasts=1,
    ),
    Fault(
        "redis is gone",
        "`docker kill`",
        "`docker start`",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: breaks.killed(*_all(project, "redis")),
        lasts=8,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "redis hangs",
        "SIGSTOP",
        "SIGCONT",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: breaks.stopped(*_all(project, "redis")),
        lasts=8,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "redis is slow",
        "it gets a hundredth of a processor",
        "the limit is lifted",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: breaks.starved(0.01, *_all(project, "redis")),
        lasts=8,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "redis is full",
        "it refuses every write",
        "its limit is as before",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: breaks.redis_refuses(_one(project, "redis")),
        lasts=8,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "prometheus and alertmanager are gone",
        "`docker kill` of both",
        "`docker start`",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: breaks.killed(*_all(project, "prometheus", "alertmanager")),
        lasts=5,
    ),
    Fault(
        "all behind the edge is restarted, one by one",
        "`docker restart` of each part, in an order of chance, once the one before is healthy",
        "the last one is healthy",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: breaks.restarted(*_all(project, *_BEHIND_THE_EDGE)),
        lasts=0,
        back=_BREAKER_SECONDS,
    ),
    Fault(
        "all parts are restarted at once",
        "`docker restart` of every container at the same time",
        "they start again",
        "connections end, new ones are closed or refused",
        Promise.CUT,
        lambda project: breaks.all_restarted(*project.containers()),
        lasts=0,
        back=60,
    ),
    Fault(
        "all models are down",
        "each answers 503",
        "they answer again",
        "503 with the kind of the error and what to do",
        Promise.REFUSED,
        lambda project: breaks.models_fail(project, kind="status", status=503),
        lasts=5,
        slowest=DEADLINE_SECONDS + 2,
        back=90,
    ),
    Fault(
        "openrouter does not answer",
        "SIGSTOP to the simulator",
        "SIGCONT",
        "504 when the time of a call (`LLM_DEADLINE_SECONDS`) is over",
        Promise.REFUSED,
        lambda project: breaks.stopped(*_all(project, "simulator")),
        lasts=DEADLINE_SECONDS + 2,
        slowest=DEADLINE_SECONDS + 2,
        back=90,
    ),
    Fault(
        "the edge crashes",
        "all its processes are killed",
        "the engine starts it again",
        "open connections end, new ones are closed at once",
        Promise.CUT,
        lambda project: breaks.crashed(*_all(project, "edge")),
        lasts=0,
    ),
    Fault(
        "what has the host's ports crashes",
        "all its processes are killed",
        "the engine starts it again",
        "open connections end, new ones are refused",
        Promise.CUT,
        lambda project: breaks.crashed(*_all(project, "edge-ports")),
        lasts=0,
    ),
    Fault(
        "slow clients",
        "500 connections send a question byte by byte",
        "they are closed",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: crowds.crowd(project, 500, "slow"),
        lasts=15,
    ),
    Fault(
        "idle connections",
        "3,000 connections are kept and ask nothing; 10,000 are measured by `./fridayctl bench idle_connections`",
        "they are closed",
        _NOTHING,
        Promise.ANSWERED,
        lambda project: crowds.crowd(project, 3000, "idle"),
        lasts=8,
    ),
)
