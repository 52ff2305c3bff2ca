"""The thoughts of a model that reasons before it answers, in OpenRouter's fields."""

from dataclasses import dataclass
from typing import Any, Literal

from simulator.answers import ChatRequest
from simulator.catalogue import Model
from simulator.faults import Fault, Thinking

ThoughtField = Literal["reasoning", "reasoning_details", "reasoning_content"]
_INTERVAL = 0.5
_NO_EFFORT = "none"


@dataclass(frozen=True)
class Thoughts:
    """How long a model thinks, in seconds, and what a caller sees of it: `field` None is nothing."""

    seconds: float = 0.0
    interval: float = _INTERVAL
    field: ThoughtField | None = "reasoning"

    @property
    def steps(self) -> int:
        """Return the number of pieces; each counts as a completion token."""
        return max(1, round(self.seconds / self.interval)) if self.seconds else 0

    def piece(self, number: int) -> dict[str, Any]:
        """Return what one piece adds to a stream's delta: `{}` when the caller does not want to see it."""
        return self._shown(f"Step {number + 1} of a simulated thought. ")

    def whole(self) -> dict[str, Any]:
        """Return what a plain answer's message has."""
        text = "".join(f"Step {number + 1} of a simulated thought. " for number in range(self.steps))
        return self._shown(text) if text else {}

    def _shown(self, text: str) -> dict[str, Any]:
        details = [{"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}]
        match self.field:
            case "reasoning":
                return {"reasoning": text, "reasoning_details": details}
            case "reasoning_details":
                return {"reasoning_details": details}
            case "reasoning_content":
                return {"reasoning_content": text}
        return {}


NONE = Thoughts()
"""Those of a model that answers at once."""


def thoughts_of(request: ChatRequest, model: Model, fault: Fault | None) -> Thoughts:
    """Return the model's thoughts about a request: those of a fault, else as long as the model thinks.

    `reasoning` may switch them off (`enabled: false`, `effort: none`) or hide them (`exclude`), as may
    `include_reasoning: false`. A fault ignores the first, as models do for which thinking is mandatory.
    """
    wanted = request.reasoning or {}
    hidden = wanted.get("exclude") is True or request.include_reasoning is False
    if isinstance(fault, Thinking):
        return Thoughts(fault.ms / 1000, fault.interval_ms / 1000, None if hidden else fault.field)
    if wanted.get("enabled") is False or wanted.get("effort") == _NO_EFFORT:
        return NONE
    return Thoughts(model.thinks_ms / 1000, field=None if hidden else "reasoning")
