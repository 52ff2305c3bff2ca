"""The swarm engine: a Workload becomes one docker.Service, with its files as Swarm configs and secrets."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pulumi
import pulumi_docker as docker

from components.container_engine import Parts, data_volume, healthcheck, labels, shared_volume
from components.probes import duration
from components.swarm_placement import NO_STRANGERS, Strangers
from components.swarm_service import (
    MEBIBYTE,
    content_name,
    declared_digest,
    declared_form,
    dropped_capabilities,
    instance_of,
)
from components.workload import FILES_DIR, File, Workload

# For what comes on top of the first healthy answer: scheduling, networks, and the provider, which looks every ten.
_CONVERGE_SECONDS = 25


@dataclass
class SwarmEngine:
    """Runs workloads as services of a Swarm; an update starts the new task first and goes back by itself.

    `kept_images` are images that stay (`Workload.image_stays`), by the form of the service that runs of them.
    `strangers` are kept off images that are `sent` to the hosts, which are named without tags.
    """

    stack: str
    provider: docker.Provider
    networks: Mapping[str, docker.Network]
    endpoint_mode: str
    kept_images: Mapping[str, str] = field(default_factory=dict)
    strangers: Strangers = NO_STRANGERS
    sent: frozenset[str] = frozenset()

    def deploy(self, workload: Workload, parent: pulumi.Resource, after: Parts = ()) -> list[pulumi.Output[str]]:
        """Declare the service below `parent`; return its name with the digest of what it is (`instance_of`).

        So too what has its ports, if something else does. That is not waited for: in the first update of a stack from a
        version whose edge had the ports, it gets them host by host, once the edge there has been followed.
        """
        front = self.deploy(self._as_it_stays(workload.front), parent, after) if workload.front else []
        digest = declared_digest(self.stack, workload)
        opts = pulumi.ResourceOptions(parent=parent, provider=self.provider)
        order = "start-first" if workload.replaced_by_overlap else "stop-first"
        task: docker.ServiceTaskSpecArgsDict = {
            "container_spec": self._container_spec(workload, opts),
            "networks_advanceds": [{"id": each} for each in self._networks(workload, opts)],
            "resources": {"limits": {"memory_bytes": workload.memory_mb * MEBIBYTE}},
            "log_driver": {"name": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
            # The window as the engine writes it back: left out, each update would find a difference.
            "restart_policy": {"condition": "any", "delay": "2s", "window": "0s"},
        }
        if constraints := self.strangers.constraints(workload, self.sent):
            task["placement"] = {"constraints": constraints}
        service = docker.Service(
            workload.part,
            # Also the name by which the other parts find it (`part.address`).
            name=f"friday-{self.stack}-{workload.alias or workload.part}",
            labels=labels(self.stack, part=workload.part),
            mode=_mode(workload),
            task_spec=task,
            update_config={
                "order": order,
                "failure_action": "rollback",
                # All at once where the old ones stay until the new ones are healthy, else host by host.
                "parallelism": workload.replicas if workload.replaced_by_overlap else 1,
                "monitor": "5s",
            },
            rollback_config={"order": order, "parallelism": workload.replicas, "monitor": "5s"},
            endpoint_spec={
                "mode": self.endpoint_mode,
                # Kernels without ipvs do not answer on the ingress, and in host mode the edge sees the user's address.
                "ports": [
                    {"target_port": port.container, "published_port": port.host, "publish_mode": "host"}
                    for port in workload.ports
                ],
            },
            converge_config=_converge_config(workload),
            opts=pulumi.ResourceOptions(parent=parent, provider=self.provider, depends_on=after),
        )
        return [*front, service.name.apply(lambda name: instance_of(name, digest))]

    def _as_it_stays(self, front: Workload) -> Workload:
        if front.earlier and declared_form(front.earlier) in self.kept_images:
            front = front.earlier
        return replace(front, image=self.kept_images.get(declared_form(front), front.image))

    def _networks(self, workload: Workload, opts: pulumi.ResourceOptions) -> list[pulumi.Output[str]]:
        """Return the ids of a workload's networks: the stack's, and the host's own, which the Swarm is asked for."""
        looked_up = pulumi.InvokeOptions(parent=opts.parent, provider=self.provider)
        outer = [docker.get_network_output(name=name, opts=looked_up).id for name in workload.outer_networks]
        return [*(self.networks[network].id for network in workload.networks), *outer]

    def _container_spec(
        self, workload: Workload, opts: pulumi.ResourceOptions
    ) -> docker.ServiceTaskSpecContainerSpecArgsDict:
        files = workload.files.items()
        spec: docker.ServiceTaskSpecContainerSpecArgsDict = {
            "image": workload.image,
            # Both given: an image of others may have an entry point of its own.
            "commands": list(workload.command[:1]),
            "args": list(workload.command[1:]),
            "configs": [self._config(workload.part, path, file, opts) for path, file in files if not file.secret],
            "secrets": [self._secret(workload.part, path, file, opts) for path, file in files if file.secret],
            "mounts": self._mounts(workload, opts),
            "read_only": workload.read_only,
            "user": workload.user,
            "stop_grace_period": _duration(workload.stop_grace_seconds),
            "healthcheck": healthcheck(workload.probe, _duration),
            "labels": labels(self.stack, part=workload.part, replica="0"),
        }
        if dropped := dropped_capabilities(workload):
            spec["cap_drops"] = dropped
        if workload.stop_signal:
            spec["stop_signal"] = workload.stop_signal
        secret_env = {name: pulumi.Output.secret(value) for name, value in workload.secret_env.items()}
        if workload.env or secret_env:
            spec["env"] = {**workload.env, **secret_env}
        return spec

    def _mounts(
        self, workload: Workload, opts: pulumi.ResourceOptions
    ) -> list[docker.ServiceTaskSpecContainerSpecMountArgsDict]:
        mounts: list[docker.ServiceTaskSpecContainerSpecMountArgsDict] = [{"target": "/tmp", "type": "tmpfs"}]  # noqa: S108
        for path, size in workload.tmpfs.items():
            mounts.append({"target": path, "type": "tmpfs", "tmpfs_options": {"size_bytes": size * MEBIBYTE}})
        named = {path: shared_volume(self.stack, workload, name, opts) for path, name in workload.volumes.items()}
        if workload.data:
            named[workload.data] = data_volume(self.stack, workload, opts).name
        # The host on which the task runs makes the volume: it needs the label by which `down` finds it.
        labelled: docker.ServiceTaskSpecContainerSpecMountVolumeOptionsArgsDict = {"labels": labels(self.stack)}
        for path, volume in named.items():
            mount: docker.ServiceTaskSpecContainerSpecMountArgsDict = {
                "target": path,
                "source": volume,
                "type": "volume",
            }
            # The plugin takes a service away and makes it anew when a label comes: an edge that gets the folder of its
            # ports has to be changed in place, host by host. `down` knows that volume by its name.
            mounts.append(mount if workload.volumes_of else {**mount, "volume_options": labelled})
        return mounts

    def _config(
        self, part: str, path: str, file: File, opts: pulumi.ResourceOptions
    ) -> docker.ServiceTaskSpecContainerSpecConfigArgsDict:
        name = content_name(self.stack, part, path, file.content)
        config = docker.ServiceConfig(name, name=name, data=_base64(file.content), opts=opts)
        return {"config_id": config.id, "config_name": config.name, "file_name": f"{FILES_DIR}/{path}"}

    def _secret(
        self, part: str, path: str, file: File, opts: pulumi.ResourceOptions
    ) -> docker.ServiceTaskSpecContainerSpecSecretArgsDict:
        name = content_name(self.stack, part, path, file.content)
        secret = docker.Secret(name, name=name, data=pulumi.Output.secret(_base64(file.content)), opts=opts)
        return {"secret_id": secret.id, "secret_name": secret.name, "file_name": f"{FILES_DIR}/{path}"}


def _mode(workload: Workload) -> docker.ServiceModeArgsDict:
    return {"global_": True} if workload.on_every_host else {"replicated": {"replicas": workload.replicas}}


def _duration(seconds: int) -> str:
    """Return seconds as a service's are written back: "1m", where a container's are "1m0s"."""
    text = duration(seconds)
    return text.removesuffix("0s") if text.endswith("m0s") else text


def _converge_config(workload: Workload) -> docker.ServiceConvergeConfigArgsDict | None:
    if workload.on_every_host:
        return None  # the provider waits for replicas only
    # Where the old ones go first, each may take all of its time to go.
    stops = 0 if workload.replaced_by_overlap else workload.replicas * workload.stop_grace_seconds
    return {"delay": "1s", "timeout": _duration(workload.probe.wait_seconds() + _CONVERGE_SECONDS + stops)}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
