"""What is asked of a stack after an update, before it is called up."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import count

from ops.checks import edges
from ops.deployment import Deployment
from ops.errors import CheckError
from ops.waiting import look_until

_TIMEOUT_SECONDS = 35.0  # above Friday's own 30 s
_SETTLE_SECONDS = 5.0  # a gateway that has just started is slow on a busy machine, and its first users fall back
_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Answer:
    """What Friday answered a user: over which path, by which model, in how many milliseconds."""

    user_id: int
    path: str
    model: str
    milliseconds: float


def ask(url: str, user_id: int) -> Answer:
    """Ask Friday one question as `user_id` at the `url` of its chats; CheckError when it does not answer 200."""
    import httpx  # noqa: PLC0415 - a tenth of a second that would hold up a rollback before its first step

    try:
        response = httpx.post(
            url,
            json={"user_id": user_id, "message": "Are you there?"},
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,  # the environment's proxies are not meant for the stack's own ports
            verify=False,  # noqa: S501 - its certificate is for the users' name, and this is its address
        )
        response.raise_for_status()
    except httpx.HTTPError as error:
        text = error.response.text[:500] if isinstance(error, httpx.HTTPStatusError) else ""
        fix = "./fridayctl logs shows what Friday and the gateway say"
        raise CheckError(f"Friday at {url} did not answer user {user_id}: {error}", fix, details=text) from error
    return Answer(
        user_id,
        response.headers.get("x-friday-path", ""),
        response.headers.get("x-friday-model", ""),
        response.elapsed.total_seconds() * 1000,
    )


def all_well(deployment: Deployment) -> None:
    """Raise CheckError with logs and probe output when a container of the stack is not healthy."""
    stack = deployment.name
    complaint = deployment.hosts.manager.complaint(stack)
    if complaint:
        raise CheckError(f"{stack}: not everything is healthy", next_command(stack), details=complaint)


def users_are_safe(deployment: Deployment, percentage: int) -> list[str]:
    """Return a line for each container that is not well, where users are served all the same.

    For that the edge and Friday each need one that is well, and the gateway too with a `percentage` above 0. CheckError
    with what `all_well` tells when one of them has none. Whether they answer is `ask_around`'s part.
    """
    stack, host = deployment.name, deployment.hosts.manager
    complaint = host.complaint(stack)
    if not complaint:
        return []
    well = {each.part for each in host.instances(stack) if each.healthy}
    lacking = [part for part in ("edge", "friday", *(("litellm",) if percentage else ())) if part not in well]
    if lacking:
        what = f"{stack}: no container of {' or '.join(lacking)} is healthy, and users need one"
        way = f"./fridayctl rollback {stack} --level 1 leaves the gateway out; " if lacking == ["litellm"] else ""
        raise CheckError(what, f"{way}{next_command(stack)}", details=complaint)
    return [line for line in complaint.splitlines() if not line.startswith(" ")]  # without probes and logs


def next_command(stack: str) -> str:
    """Return the next command for a stack that has something unhealthy."""
    return f"./fridayctl logs {stack} shows more; ./fridayctl drift {stack} --fix brings back what was stopped"


@dataclass(frozen=True)
class Friday:
    """What is asked after an update: `url` is where users reach it, `chat_path` where it answers a chat, if anywhere.

    It is not `as_set` where the code of another commit deployed it, whose settings this code does not know.
    """

    url: str
    chat_path: str | None
    as_set: bool = True


def has_no_redis(deployment: Deployment) -> bool:
    """Return whether the gateway's Redis is not well: a new replica of it makes no calls then for a minute.

    Nobody tells it what the account has used of its limit, so its users are answered on the direct path meanwhile.
    """
    found = [each for each in deployment.hosts.manager.instances(deployment.name) if each.part == "redis"]
    return any(not each.healthy for each in found)


def ask_around(
    friday: Friday,
    deployment: Deployment,
    percentage: int,
    seen: list[edges.Seen] | None = None,
    *,
    fallback_counts: bool = False,
) -> list[Answer]:
    """Ask on the paths that a percentage uses, and report it.

    An image that has no such chat is asked for its health path through every edge; so is every image with the real
    OpenRouter, where no quota is spent on that. `seen` is what was answered there already, for a caller that has just
    asked. With `fallback_counts` a user of the gateway may be answered by the direct path in its place. CheckError when
    it does not answer as it should.
    """
    if friday.chat_path is None or deployment.settings.upstream != "simulator":
        deployment.report("checked", "what users need is healthy")
        if friday.as_set:
            hosts = deployment.hosts.answering(lambda _: None)
            if seen is None:
                seen = edges.require_serving(deployment.name, hosts, deployment.settings)
            edges.report_seen(deployment, hosts, seen)
        if percentage:
            shown = f"./fridayctl status {deployment.name} shows it"
            deployment.report("next", f"whether Friday obeys the {percentage} % is seen once users ask; {shown}")
        return []
    testers = deployment.settings.effective_testers if friday.as_set else ()
    chat, compare = friday.url + friday.chat_path, deployment.settings.compare_testers
    answers = both_paths(chat, percentage, testers, compare=compare, fallback_counts=fallback_counts)
    for answer in answers:
        over = f"user {answer.user_id}: {answer.path}, {answer.model}, {answer.milliseconds:.0f} ms"
        deployment.report("checked", over)
    return answers


def both_paths(
    url: str,
    percentage: int,
    testers: Collection[int] = (),
    *,
    compare: bool = False,
    fallback_counts: bool = False,
) -> list[Answer]:
    """Ask on each path that a rollout percentage uses; CheckError when for a while the wrong path answers.

    Users are assigned by `user_id % 100 < percentage`: user 0 is the first on the gateway, 99 the last. Testers are on
    the gateway at any percentage, so one of them is asked where no other user is; those who `compare` are on either.
    """
    gateway = ("litellm", "fallback") if fallback_counts else ("litellm",)
    of_testers = (*gateway, "direct") if compare else gateway
    expected = [(tester, of_testers) for tester in sorted(testers)[:1] if not percentage]
    if percentage > 0:
        expected.append((_not_among(testers, 0), gateway))
    if percentage < 100:
        expected.append((_not_among(testers, 99), ("direct",)))
    return [_over(paths, url, user_id) for user_id, paths in expected]


def _not_among(testers: Collection[int], bucket: int) -> int:
    return next(user_id for user_id in count(bucket, 100) if user_id not in testers)


def _over(paths: tuple[str, ...], url: str, user_id: int) -> Answer:
    """Ask until the first of the paths answers, for a while; then any of them will do."""
    path = paths[0]
    answer = look_until(lambda: ask(url, user_id), lambda found: found.path == path, _SETTLE_SECONDS, _EVERY_SECONDS)
    if answer.path not in paths:
        fix = "./fridayctl logs: the gateway, or the model behind it, is not well; rollback --level 1 leaves it out"
        raise CheckError(f"user {user_id} should be answered over {path} (was: {answer.path})", fix)
    return answer
