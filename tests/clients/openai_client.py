"""The newest OpenAI SDK against the gateway: OPENAI_BASE_URL, OPENAI_API_KEY and MODEL say where."""

import os

import openai
from pydantic import BaseModel

MODEL = os.environ["MODEL"]
client = openai.OpenAI(max_retries=0, timeout=60)
SAID = [{"role": "user", "content": "hello"}]
TOOL = {"type": "function", "function": {"name": "list_leads", "parameters": {"type": "object", "properties": {}}}}


class Lead(BaseModel):
    name: str
    rooms: int


answer = client.chat.completions.create(
    model=MODEL, messages=SAID, metadata={"run": "7"}, store=True, user="7", service_tier="auto", seed=1
)
assert answer.choices[0].message.content, answer
assert client.models.retrieve(answer.model).id == answer.model
assert answer.model in [model.id for model in client.models.list()]

with client.chat.completions.create(
    model=MODEL, messages=SAID, stream=True, stream_options={"include_usage": True}
) as events:
    chunks = list(events)
text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
assert text == answer.choices[0].message.content, text
assert chunks[-1].usage is not None, chunks[-1]

called = client.chat.completions.create(model=MODEL, messages=SAID, tools=[TOOL], tool_choice="required")
(call,) = called.choices[0].message.tool_calls
assert call.function.name == "list_leads"
# The SDK's own object goes back as it came, with the tool's result.
again = [*SAID, called.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "[]"}]
assert client.chat.completions.create(model=MODEL, messages=again, tools=[TOOL]).choices[0].finish_reason

parsed = client.chat.completions.parse(model=MODEL, messages=SAID, response_format=Lead)
assert isinstance(parsed.choices[0].message.parsed, Lead), parsed

for wrong, error, param in (
    ({"temperature": 3}, openai.BadRequestError, "temperature"),
    (
        {"tools": [{"type": "function", "function": {"name": "orders.list all"}}]},
        openai.BadRequestError,
        "tools[0].function.name",
    ),
    ({"extra_body": {"models": ["openai/gpt-4o"]}}, openai.PermissionDeniedError, "models"),
):
    try:
        client.chat.completions.create(model=MODEL, messages=SAID, **wrong)
        raise AssertionError(f"{wrong} was answered")
    except error as refused:
        assert refused.param == param, refused
        assert refused.request_id == refused.body["request_id"], refused.body
