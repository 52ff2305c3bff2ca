"""What the installed LiteLLM declares, as JSON: its version, every route of its proxy, every field, every header.

Run inside of the gateway's image. The lists are LiteLLM's own, so a newer LiteLLM's routes and fields are in them.
"""

import ast
import inspect
import json
import os
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # there is no network to ask for another one

import litellm
from litellm import constants
from litellm.proxy._types import LiteLLMRoutes, ProxyChatCompletionRequest
from litellm.types.llms.openai import ChatCompletionRequest
from litellm.types.router import LiteLLM_Params
from litellm.types.utils import StandardCallbackDynamicParams, all_litellm_params

_METHODS = {"get", "post", "put", "patch", "delete"}
_HEADER = re.compile(r"x-litellm-[a-z-]+[a-z]")
_SOURCE = Path(str(litellm.__file__)).parent
_SIGNED = (litellm.completion, litellm.acompletion, litellm.Router.completion, litellm.utils.get_optional_params)


def fields() -> set[str]:
    """Return every field of a chat, and every parameter that LiteLLM takes beside one."""
    signed = {name for each in _SIGNED for name in inspect.signature(inspect.unwrap(each)).parameters}
    declared = (
        *(LiteLLM_Params.model_fields, ProxyChatCompletionRequest.model_fields),
        *(inspect.get_annotations(ChatCompletionRequest), inspect.get_annotations(StandardCallbackDynamicParams)),
        *(all_litellm_params, constants.OPENAI_CHAT_COMPLETION_PARAMS, constants.DEFAULT_CHAT_COMPLETION_PARAM_VALUES),
    )
    return signed.union(*declared) - {"self"}


def routes(trees: list[ast.Module]) -> set[str]:
    """Return every route as `METHOD path`: those of its published lists by both methods, and those that it declares."""
    listed = {path for group in LiteLLMRoutes for path in group.value if path.startswith("/")}
    by_both = {f"{method} {path}" for path in listed for method in ("GET", "POST")}
    return by_both | {found for tree in trees for found in _declared(tree)}


def _declared(tree: ast.Module) -> Iterator[str]:
    """Yield what decorators such as `@router.post("/key/generate")` declare."""
    for node in ast.walk(tree):
        for call in getattr(node, "decorator_list", ()):
            method = getattr(getattr(call, "func", None), "attr", "")
            said = [*call.args, *(each.value for each in call.keywords if each.arg == "path")] if method else []
            path = getattr(said[0], "value", None) if said else None
            if isinstance(path, str) and path.startswith("/"):
                for each in _METHODS if method == "api_route" else {method} & _METHODS:
                    yield f"{each.upper()} {path}"


def headers(trees: list[ast.Module]) -> set[str]:
    """Return every request header of LiteLLM's own that its proxy names."""
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and _HEADER.fullmatch(text)}


def main() -> None:
    """Print them."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((_SOURCE / "proxy").rglob("*.py"))]
    found = {"routes": routes(trees), "fields": fields(), "headers": headers(trees)}
    print(json.dumps({"version": version("litellm"), **{name: sorted(each) for name, each in found.items()}}))


if __name__ == "__main__":
    main()
