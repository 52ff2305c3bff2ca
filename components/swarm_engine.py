"""The swarm engine: a Workload becomes one docker.Service, with its files as Swarm configs and secrets."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.container_engine import labels
from components.probes import duration
from components.workload import FILES_DIR, File, Workload

MEBIBYTE = 1024 * 1024


@dataclass
class SwarmEngine:
    """Runs workloads as services of a Swarm; an update starts the new task first and goes back by itself."""

    stack: str
    provider: docker.Provider
    networks: Mapping[str, docker.Network]

    def deploy(self, workload: Workload, parent: pulumi.Resource) -> list[pulumi.Output[str]]:
        """Declare the service below `parent` and return its name."""
        opts = pulumi.ResourceOptions(parent=parent, provider=self.provider)
        service = docker.Service(
            workload.part,
            name=f"friday-{self.stack}-{workload.part}",
            mode=docker.ServiceModeArgs(replicated=docker.ServiceModeReplicatedArgs(replicas=workload.replicas)),
            task_spec=docker.ServiceTaskSpecArgs(
                container_spec=self._container_spec(workload, opts),
                networks_advanceds=[
                    docker.ServiceTaskSpecNetworksAdvancedArgs(
                        id=self.networks[network].id, aliases=[workload.alias or workload.part]
                    )
                    for network in workload.networks
                ],
                resources=docker.ServiceTaskSpecResourcesArgs(
                    limits=docker.ServiceTaskSpecResourcesLimitsArgs(memory_bytes=workload.memory_mb * MEBIBYTE)
                ),
                log_driver=docker.ServiceTaskSpecLogDriverArgs(
                    name="json-file", options={"max-size": "10m", "max-file": "3"}
                ),
                restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(condition="any", delay="2s"),
            ),
            update_config=docker.ServiceUpdateConfigArgs(
                order="start-first" if workload.replaced_by_overlap else "stop-first",
                failure_action="rollback",
                parallelism=workload.replicas,
                monitor="5s",
            ),
            endpoint_spec=_endpoint(workload),
            converge_config=docker.ServiceConvergeConfigArgs(
                delay="1s", timeout=duration(workload.probe.wait_seconds())
            ),
            opts=opts,
        )
        return [service.name]

    def _container_spec(
        self, workload: Workload, opts: pulumi.ResourceOptions
    ) -> docker.ServiceTaskSpecContainerSpecArgs:
        probe = workload.probe
        files = workload.files.items()
        return docker.ServiceTaskSpecContainerSpecArgs(
            image=workload.image,
            # Both given: an image of others may have an entry point of its own.
            commands=list(workload.command[:1]),
            args=list(workload.command[1:]),
            env={
                **workload.env,
                **{name: pulumi.Output.secret(value) for name, value in workload.secret_env.items()},
            },
            configs=[self._config(workload.part, path, file, opts) for path, file in files if not file.secret],
            secrets=[self._secret(workload.part, path, file, opts) for path, file in files if file.secret],
            mounts=[docker.ServiceTaskSpecContainerSpecMountArgs(target="/tmp", type="tmpfs")],  # noqa: S108
            cap_drops=["ALL"],
            read_only=workload.read_only,
            user=workload.user,
            stop_grace_period=duration(workload.stop_grace_seconds),
            healthcheck=docker.ServiceTaskSpecContainerSpecHealthcheckArgs(
                tests=probe.docker_test(),
                interval=duration(probe.interval_seconds),
                timeout=duration(probe.timeout_seconds),
                start_period=duration(probe.start_period_seconds),
                retries=probe.retries,
            ),
            labels=[
                docker.ServiceTaskSpecContainerSpecLabelArgs(label=key, value=value)
                for key, value in labels(self.stack, workload.part, 0).items()
            ],
        )

    def _config(
        self, part: str, path: str, file: File, opts: pulumi.ResourceOptions
    ) -> docker.ServiceTaskSpecContainerSpecConfigArgs:
        name = self._content_name(part, path, file)
        config = docker.ServiceConfig(name, name=name, data=_base64(file.content), opts=opts)
        return docker.ServiceTaskSpecContainerSpecConfigArgs(
            config_id=config.id, config_name=config.name, file_name=f"{FILES_DIR}/{path}"
        )

    def _secret(
        self, part: str, path: str, file: File, opts: pulumi.ResourceOptions
    ) -> docker.ServiceTaskSpecContainerSpecSecretArgs:
        name = self._content_name(part, path, file)
        data = pulumi.Output.secret(_base64(file.content))
        secret = docker.Secret(name, name=name, data=data, opts=opts)
        return docker.ServiceTaskSpecContainerSpecSecretArgs(
            secret_id=secret.id, secret_name=secret.name, file_name=f"{FILES_DIR}/{path}"
        )

    def _content_name(self, part: str, path: str, file: File) -> str:
        # Swarm's configs and secrets cannot be changed: other content is another object.
        digest = hashlib.sha256(file.content.encode()).hexdigest()[:8]
        return f"friday-{self.stack}-{part}-{path.replace('/', '-').replace('.', '-')}-{digest}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _endpoint(workload: Workload) -> docker.ServiceEndpointSpecArgs:
    # dnsrr and ports in host mode: kernels without ipvs answer neither virtual addresses nor the ingress.
    return docker.ServiceEndpointSpecArgs(
        mode="dnsrr",
        ports=[
            docker.ServiceEndpointSpecPortArgs(
                target_port=port.container, published_port=port.host, publish_mode="host"
            )
            for port in workload.ports
        ],
    )
