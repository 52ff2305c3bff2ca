"""The container engine: a Workload becomes docker.Container resources on one host."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_docker as docker

from components.probes import HealthProbe, duration
from components.workload import FILES_DIR, File, Workload, data_volume_name

# What Pulumi adds to a resource's name where the program gives no other (autonaming, seven hexadecimal digits).
_RANDOM = re.compile(r"-[0-9a-f]{7}$")
Parts = Sequence[pulumi.ComponentResource]


def labels(stack: str, **of_container: str) -> list[docker.ContainerLabelArgsDict]:
    """Return the labels by which every other command finds what a stack has on a host."""
    named = {"stack": stack, **of_container}
    return [{"label": f"friday-litellm.{name}", "value": value} for name, value in named.items()]


@dataclass
class ContainerEngine:
    """Runs workloads as containers of one Docker host.

    A replica of an overlapping workload is a resource whose name carries the workload's digest: a change is a new
    resource, which Pulumi creates and waits for (healthy) before it deletes the previous one. Where Pulumi replaces
    one all the same (its image was built again, somebody renamed its container), the successor comes first too: the
    container's own name ends in random letters, so the two can stand side by side.

    `start_interval` says whether the engine knows one. An older one must not be given it: the plugin's client refuses.
    `kept_images` are the ids of images that stay (`Workload.image_stays`), by the form of what runs of them.
    """

    stack: str
    provider: docker.Provider
    networks: Mapping[str, docker.Network]
    start_interval: bool
    kept_images: Mapping[str, str] = field(default_factory=dict)
    _images: dict[str, docker.RemoteImage] = field(default_factory=dict)

    def deploy(self, workload: Workload, parent: pulumi.Resource, after: Parts = ()) -> list[pulumi.Output[str]]:
        """Declare one container a replica below `parent`, when those of `after` are healthy; return their names."""
        opts = pulumi.ResourceOptions(parent=parent, provider=self.provider)
        volumes: list[docker.ContainerVolumeArgsDict] = []
        needed: list[pulumi.Resource] = [*after]
        image = self._image_id(workload.image, opts)
        if workload.rereads_files:
            written = files_volume(self.stack, workload, opts)
            volumes.append({"volume_name": written.name, "container_path": FILES_DIR})
            # They are taken at once, as if what reads them were made anew: so not before those of `after` are healthy.
            last = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[*after]))
            needed.append(self._files(workload, last, {"volume_name": written.name}))
        elif workload.files:
            # By name, and as a plain text: what serves keeps the volume that it has when the container of the files
            # vanishes (`docker container prune`) or is replaced, so it must not be replaced with it.
            volumes.append({"from_container": files_name(self.stack, workload)})
            needed.append(self._files(workload, opts))
        volumes += self._volumes(workload, opts)
        names: list[pulumi.Output[str]] = []
        if workload.front:
            # Under the name that the edge itself once had: what has the ports now replaces what had them before.
            front = self._front(workload.front, f"{workload.part}-1", parent, needed)
            needed.append(front)
            names.append(front.name)
        opts = self._replaced(workload, parent, needed)
        numbered = enumerate(workload.instance_names(), start=1)
        return names + [
            self._container(workload, number, instance, image, volumes, opts).name for number, instance in numbered
        ]

    def _front(
        self, front: Workload, resource: str, parent: pulumi.Resource, needed: list[pulumi.Resource]
    ) -> docker.Container:
        """Declare what has the ports of a workload; it is made of the image that it runs of, if it runs as declared."""
        if front.earlier and front.earlier.form() in self.kept_images:
            front = front.earlier
        opts = pulumi.ResourceOptions(parent=parent, provider=self.provider)
        image = self.kept_images.get(front.form()) or self._image_id(front.image, opts)
        (instance,) = front.instance_names()
        volumes, opts = self._volumes(front, opts), self._replaced(front, parent, needed)
        return self._container(front, 1, instance, image, volumes, opts, resource)

    def _replaced(
        self, workload: Workload, parent: pulumi.Resource, needed: list[pulumi.Resource]
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=parent,
            provider=self.provider,
            depends_on=[*needed],
            # Where there is one only, its name is taken as long as it is there, and so are its host ports. What
            # overlaps stays until its successor is healthy. Said for both: the plugin's own choice is to delete.
            delete_before_replace=not workload.replaced_by_overlap,
            # The plugin notes another probe as changed and leaves the container with the one that it was made with.
            replace_on_changes=[f"healthcheck.{each}" for each in ("tests", "interval", "timeout")],
        )

    def _volumes(self, workload: Workload, opts: pulumi.ResourceOptions) -> list[docker.ContainerVolumeArgsDict]:
        """Declare the volumes that outlive a workload's containers, and return how those mount them."""
        volumes: list[docker.ContainerVolumeArgsDict] = []
        if workload.data:
            kept = data_volume(self.stack, workload, opts)
            volumes.append({"volume_name": kept.name, "container_path": workload.data})
        for path, suffix in workload.volumes.items():
            shared = shared_volume(self.stack, workload, suffix, opts)
            volumes.append({"volume_name": shared, "container_path": path})
        return volumes

    def _files(
        self, workload: Workload, opts: pulumi.ResourceOptions, volume: docker.ContainerVolumeArgsDict | None = None
    ) -> docker.Container:
        """Declare the container that only holds a workload's files; all replicas mount its volume.

        Docker copies nothing into a container whose root is read-only, not even below a volume. So the files go
        into one that never starts, and the replicas stay read-only. In a `volume` that outlives it what runs sees them.
        """
        return docker.Container(
            f"{workload.part}-files-{workload.files_digest()}",
            name=files_name(self.stack, workload),
            image=self._image_id(workload.image, opts),
            uploads=[_upload(f"{FILES_DIR}/{path}", file) for path, file in sorted(workload.files.items())],
            volumes=[{"container_path": FILES_DIR, **(volume or {})}],
            labels=labels(self.stack, files=workload.part),
            network_mode="none",
            start=False,
            must_run=False,
            opts=opts,
        )

    def _image_id(self, image: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        # An image named by tag is never a no-op for the provider; its id is.
        if image not in self._images:
            self._images[image] = docker.RemoteImage(f"image-{image}", name=image, keep_locally=True, opts=opts)
        return self._images[image].image_id

    def _container(
        self,
        workload: Workload,
        number: int,
        instance: str,
        image: pulumi.Output[str] | str,
        volumes: list[docker.ContainerVolumeArgsDict],
        opts: pulumi.ResourceOptions,
        resource: str = "",
    ) -> docker.Container:
        name = f"friday-{self.stack}-{instance}"
        of_form = {"form": workload.form()} if workload.image_stays else {}
        return docker.Container(
            resource or (name if workload.replaced_by_overlap else instance),
            # Without a name of ours Pulumi adds random letters to the resource's.
            name=None if workload.replaced_by_overlap else name,
            image=image,
            # Both given: an image of others may have an entry point of its own. No empty list: the provider would
            # find the image's own words there, take that for a change and replace the container every time.
            entrypoints=list(workload.command[:1]) or None,
            command=list(workload.command[1:]) or None,
            envs=[
                *(f"{name}={value}" for name, value in sorted(workload.env.items())),
                *(pulumi.Output.secret(f"{name}={value}") for name, value in sorted(workload.secret_env.items())),
            ],
            volumes=volumes or None,
            networks_advanced=self._networks(workload),
            ports=[{"internal": port.container, "external": port.host, "ip": port.address} for port in workload.ports],
            healthcheck=self._healthcheck(workload.probe),
            labels=labels(self.stack, part=workload.part, replica=str(number), **of_form),
            memory=workload.memory_mb,
            memory_swap=workload.memory_mb,  # no swap: a part that outgrows its limit is restarted, not slowed down
            cpu_shares=workload.cpu_shares,
            user=workload.user,
            read_only=workload.read_only,
            # As process 1 a program ignores SIGTERM until it has a handler; behind an init it can always be stopped.
            init=True,
            tmpfs=workload.tmpfs_options(),
            capabilities={"drops": ["ALL"]},
            security_opts=["no-new-privileges:true"],
            log_driver="json-file",
            log_opts={"max-size": "10m", "max-file": "3"},
            # Not unless-stopped: an engine that was killed stops what it finds running when it is back, calls that
            # stopped by hand (moby#41302), and nothing would serve.
            restart="always",
            must_run=True,
            wait=True,
            wait_timeout=workload.probe.wait_seconds(),
            destroy_grace_seconds=workload.stop_grace_seconds,
            stop_signal=workload.stop_signal or None,
            opts=opts,
        )

    def _networks(self, workload: Workload) -> list[docker.ContainerNetworksAdvancedArgsDict]:
        aliases = [workload.alias or workload.part]
        joined: list[docker.ContainerNetworksAdvancedArgsDict] = [
            {"name": self.networks[network].name, "aliases": aliases} for network in workload.networks
        ]
        # Without an alias: what goes by which name there is others' to say.
        return joined + [{"name": network} for network in workload.outer_networks]

    def _healthcheck(self, probe: HealthProbe) -> docker.ContainerHealthcheckArgsDict:
        check = healthcheck(probe, duration)
        if self.start_interval:
            check["start_interval"] = duration(probe.start_interval_seconds)
            check["interval"] = duration(probe.rare_seconds())
        return check


def files_name(stack: str, workload: Workload) -> str:
    """Return the name of the container that holds a workload's files."""
    return f"friday-{stack}-{workload.part}-files-{workload.files_digest()}"


def instance_of(stack: str, workload: Workload, container: str) -> str:
    """Return which of `Workload.instance_names` a container is by its name; one of none keeps what it is called."""
    name = _RANDOM.sub("", container) if workload.replaced_by_overlap else container
    return name.removeprefix(f"friday-{stack}-")


def data_volume(stack: str, workload: Workload, opts: pulumi.ResourceOptions) -> docker.Volume:
    """Declare the volume that a workload's data outlive its containers in; only removing the stack removes it."""
    name = data_volume_name(stack, workload.part)
    return docker.Volume(f"{workload.part}-data", name=name, labels=labels(stack), opts=opts)


def shared_volume(
    stack: str, workload: Workload, suffix: str, opts: pulumi.ResourceOptions
) -> pulumi.Output[str] | str:
    """Return the name of a volume that a workload's replicas share on a host; its own are declared here.

    It stays, with what is in it, when the workload no longer names it: a rollback may name it again. Only `down`, which
    knows it by its label, removes it.
    """
    name = workload.volume_name(stack, suffix)
    if workload.volumes_of:
        return name
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True))
    return docker.Volume(f"{workload.part}-{suffix}-volume", name=name, labels=labels(stack), opts=opts).name


def files_volume(stack: str, workload: Workload, opts: pulumi.ResourceOptions) -> docker.Volume:
    """Declare the volume in which a workload finds its files, whatever updates write there while it runs."""
    name = f"{workload.part}-files"
    return docker.Volume(name, name=f"friday-{stack}-{name}", labels=labels(stack), opts=opts)


def healthcheck(probe: HealthProbe, written: Callable[[int], str]) -> docker.ContainerHealthcheckArgsDict:
    """Return a probe as Docker takes it; `written` writes seconds as the engine writes them back."""
    return {
        "tests": probe.docker_test(),
        "interval": written(probe.interval_seconds),
        "timeout": written(probe.longest_seconds()),
        "start_period": written(probe.start_period_seconds),
        "retries": probe.retries,
    }


def _upload(path: str, file: File) -> docker.ContainerUploadArgsDict:
    if file.source:
        return {"file": path, "source": file.source}
    return {"file": path, "content": pulumi.Output.secret(file.content) if file.secret else file.content}
