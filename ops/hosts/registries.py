"""The registries for which this machine has a login: a Swarm hands it on to each node that gets a task."""

from collections.abc import Iterable

from docker import auth
from docker.errors import DockerException

from ops.progress import Say


def with_login(images: Iterable[str], warn: Say) -> list[str]:
    """Return the registries of images for which `docker login` was done here, sorted; no secret is returned.

    Docker Hub only where an image names it: the plugin looks for no other. A login that cannot be read is left out,
    and `warn` gets why: the hosts have pulled what they run, and a rollback must not wait for a helper's repair.
    """
    named = sorted({registry for image in images if (registry := _registry(image))})
    if not named:
        return []
    known = auth.load_config()  # of a file that cannot be read it makes one without logins
    return [registry for registry in named if _has_login(known, registry, warn)]


def _has_login(known: auth.AuthConfig, registry: str, warn: Say) -> bool:
    try:
        return bool(known.resolve_authconfig(registry))
    except DockerException as error:
        warn(f"{registry}: the login of this machine cannot be read ({error}); nodes that lack an image pull without")
        return False


def _registry(image: str) -> str:
    """Return the registry that an image names, "" where it names none."""
    first, slash, _ = image.partition("/")
    names_one = slash and ("." in first or ":" in first or first == "localhost")
    return first if names_one else ""
