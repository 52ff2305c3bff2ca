"""What a stack is set to, what its history says last, and what runs."""

from dataclasses import asdict, dataclass

from rollout.hosts import DockerHost, Instance
from rollout.stacks import open_stack, read_settings


@dataclass(frozen=True)
class Status:
    """A stack at one moment. `deployed_percentage` (0-100) is what runs, `settings_percentage` what the file says."""

    stack: str
    settings_percentage: int
    deployed_percentage: int | None
    last_update: str
    instances: list[Instance]
    urls: dict[str, str]

    @property
    def well(self) -> bool:
        """Tell whether something runs and all of it is healthy."""
        return bool(self.instances) and all(each.well for each in self.instances)

    @property
    def headline(self) -> str:
        """Return the rollout's state in a sentence."""
        if not self.instances or self.deployed_percentage is None:
            return "not deployed"
        text = f"{self.deployed_percentage} % of users through LiteLLM"
        if self.deployed_percentage != self.settings_percentage:
            text += f" (the stack file says {self.settings_percentage} %: ./fridayctl up {self.stack} brings it there)"
        ill = sum(not each.well for each in self.instances)
        return f"{text}, {ill} of {len(self.instances)} containers not well" if ill else f"{text}, all healthy"

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {**asdict(self), "well": self.well, "headline": self.headline}


def look(stack: str) -> Status:
    """Look at a stack; SettingsError or OperationError when it cannot be read."""
    settings = read_settings(stack)
    opened = open_stack(stack)
    outputs = {key: output.value for key, output in opened.outputs().items()}
    history = opened.history(page_size=1, page=1, show_secrets=False)
    enabled = outputs.get("litellmEnabled", True)
    return Status(
        stack=stack,
        settings_percentage=settings.rollout_percentage if settings.litellm_enabled else 0,
        deployed_percentage=(outputs.get("rolloutPercentage") if enabled else 0) if outputs else None,
        last_update="".join(f"{h.start_time:%Y-%m-%d %H:%M:%S} {h.kind} {h.result}: {h.message}" for h in history),
        instances=DockerHost(settings.docker_host).instances(stack),
        urls={name: str(outputs[name]) for name in ("fridayUrl", "gatewayUrl", "simulatorUrl") if name in outputs},
    )
