"""A gateway whose LiteLLM is not what it expects does not start, and says why."""

import pytest

from components.catalogue import default_models
from components.free_models import RouterTuning
from tests.integration.gateway_container import base_url, config_text, gateway
from tests.integration.gateway_upstream import Upstream

pytestmark = [pytest.mark.engine, pytest.mark.beside]


def asked_before_it_ended(program: str, said: str) -> list[str]:
    """Start a gateway by a program, which has to end with 3 and say so; return the models that it asked."""
    upstream = Upstream()
    with gateway(upstream, wait=False, command=("python3", "-c", program)) as running:
        assert running.container.wait(timeout=90)["StatusCode"] == 3
        assert said in running.logs
    upstream.close()
    return upstream.models


@pytest.mark.parametrize(
    ("right", "wrong", "code", "said"),
    [
        ("stream_timeout:", "strem_timeout:", 3, "does not know router_settings.strem_timeout"),
        ("openrouter/minimax/", "minimax-nobody/", 1, "LiteLLM did not accept its configuration"),
    ],
    ids=["misspelt router setting", "model without provider"],
)
def test_a_config_that_litellm_does_not_take_as_a_whole_ends_the_start(
    right: str, wrong: str, code: int, said: str
) -> None:
    upstream = Upstream()
    config = config_text(upstream, RouterTuning())
    assert base_url(upstream) in config
    with gateway(upstream, config=config.replace(right, wrong, 1), wait=False) as running:
        assert running.container.wait(timeout=90)["StatusCode"] == code
        assert said in running.logs
    upstream.close()


# A LiteLLM with other names for a setting that it declares, one of a model that it looks up, and an error's status.
RENAMED = """
import os
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm, gateway.serve, gateway.known_names as names
texts = names.texts_in
del litellm.drop_params
class RateLimitError(litellm.RateLimitError):
    status_code = property(lambda self: None, lambda self, value: None)
litellm.RateLimitError = RateLimitError
names.texts_in = lambda code: texts(code) - {"extra_body"}
gateway.serve.main()
"""


def test_a_litellm_that_has_renamed_what_we_use_is_not_started_and_names_it() -> None:
    numbers = range(len(default_models()))
    names = ["litellm_settings.drop_params", *(f"model_list[{each}].litellm_params.extra_body" for each in numbers)]
    expected = ", ".join([*names, "RateLimitError with status_code 429 (found None)"])
    asked_before_it_ended(RENAMED, f"this LiteLLM does not know {expected}: renamed or dropped?")


# A LiteLLM whose router sends a call without asking the callbacks first.
DEAF = """
import gateway.serve, gateway.router as router
build = router.build
async def unasked(kwargs, call_type):
    return kwargs
def deaf(config, guard):
    made = build(config, guard)
    import litellm.utils
    litellm.utils.async_pre_call_deployment_hook = unasked
    return made
router.build = deaf
gateway.serve.main()
"""


def test_a_litellm_that_does_not_ask_the_guard_is_not_started() -> None:
    said = "does not ask gateway.guard before a call: openrouter/self-test/paid was not stopped"
    assert asked_before_it_ended(DEAF, said) == []


# A LiteLLM that asks the callbacks, and then makes its calls with a client of its own.
OWN_CLIENT = """
import gateway.serve, gateway.router as router
build = router.build
def own(config, guard):
    made = build(config, guard)
    import litellm.utils
    asked = litellm.utils.async_pre_call_deployment_hook
    async def without_client(kwargs, call_type):
        return {**await asked(kwargs, call_type), "client": None}
    litellm.utils.async_pre_call_deployment_hook = without_client
    return made
router.build = own
gateway.serve.main()
"""


def test_a_litellm_that_calls_the_upstream_itself_is_not_started() -> None:
    said = "does not ask gateway.upstream to send a call: openrouter/self-test/model:free"
    assert asked_before_it_ended(OWN_CLIENT, said) == ["self-test/model:free"]


# A LiteLLM that takes the end of its work for a failure of the model.
HOLDING = """
import gateway.serve, gateway.router as router, gateway.upstream as upstream
build = router.build
def holding(config, guard):
    made = build(config, guard)
    import litellm
    asked = litellm.acompletion
    async def held(**fields):
        try:
            return await asked(**fields)
        except upstream.Answered as answered:
            raise litellm.InternalServerError("-", "openrouter", "-") from answered
    litellm.acompletion = held
    return made
router.build = holding
gateway.serve.main()
"""


def test_a_litellm_that_goes_on_after_an_answer_is_not_started() -> None:
    said = "this LiteLLM does not answer a chat"
    assert asked_before_it_ended(HOLDING, said) == []
