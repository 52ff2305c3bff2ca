"""Which service of a compose file is Friday."""

import re

from components.friday_environment import VARIABLES
from ops.compose.document import Map, wrong
from ops.compose.project import Project, pairs

# What only Friday has of its variables: DATABASE_URL, PORT and DRAIN_SECONDS are everybody's.
_ITS_OWN = {each.name for each in VARIABLES if each.reserved or each.required} - {"DATABASE_URL", "PORT"}
# Images of what stands beside a web app; a service that is made of one is not the app.
_OTHERS = re.compile(
    r"(^|/)(postgres|postgis|pgvector|pgbouncer|mysql|mariadb|mongo|redis|valkey|memcached|rabbitmq|nats|kafka|minio|"
    r"chroma|qdrant|weaviate|elasticsearch|opensearch|nginx|caddy|traefik|haproxy|envoy|httpd|adminer|pgadmin4?|"
    r"phpmyadmin|mailhog|mailpit|prometheus|grafana|loki|litellm|langfuse|ollama|watchtower|certbot|busybox|alpine)"
    r"[^/]*(:|@|$)"
)


def friday_of(project: Project, wanted: str) -> str:
    """Return the service that is Friday: the named one, else the only one that looks like it.

    Services whose image is a database, cache, proxy and the like are left out. Of the others those count first that
    have variables which only Friday reads, then those with a port, then those whose name begins with its.
    OperationError lists what there is when none fits or several do.
    """
    services: Map = project.document["services"]
    if wanted:
        if wanted not in services:
            raise wrong(project.path.name, f"there is no service {wanted}", f"name one of {', '.join(services)}")
        return wanted
    found = [name for name in services if _is_own(project.raw(name))]
    for rule in (_reads_its_variables, _has_port, _has_its_name):
        found = [name for name in found if rule(name, project.raw(name))] or found
    if len(found) == 1:
        return found[0]
    if found:
        said = f"{len(found)} services may be Friday: {', '.join(found)}"
        raise wrong(services.where(found[0]), said, f"name it: --service {found[0]}")
    said = f"no service looks like Friday (`build`, or an image of your own): {', '.join(services) or 'there is none'}"
    raise wrong(project.path.name, said, "name it with --service, or give the compose file that runs Friday")


def _is_own(body: Map) -> bool:
    return bool(body.get("build")) or not _OTHERS.search(str(body.get("image", "")))


def _reads_its_variables(_: str, body: Map) -> bool:
    return bool(_ITS_OWN & pairs(body, "environment").keys())


def _has_port(_: str, body: Map) -> bool:
    return bool(body.get("ports") or body.get("expose"))


def _has_its_name(name: str, _: Map) -> bool:
    return name.startswith("friday")
