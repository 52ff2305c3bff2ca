"""LiteLLM as a client of the gateway: OPENAI_BASE_URL, OPENAI_API_KEY and MODEL say where."""

import os

import litellm

MODEL, URL, KEY = os.environ["MODEL"], os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]
options = {"model": f"openai/{MODEL}", "api_base": URL, "api_key": KEY, "num_retries": 0, "timeout": 60}
said = [{"role": "user", "content": "hello"}]
answer = litellm.completion(**options, messages=said, metadata={"session_id": "run-7"}, user="7")
text = answer.choices[0].message.content
assert text, answer
events = litellm.completion(**options, messages=said, stream=True)
assert "".join(event.choices[0].delta.content or "" for event in events) == text
proxy = {**options, "model": f"litellm_proxy/{MODEL}"}
called = litellm.completion(
    **proxy,
    messages=said,
    tools=[{"type": "function", "function": {"name": "list_leads", "parameters": {"type": "object"}}}],
    tool_choice="required",
    extra_body={"litellm_session_id": "run-7", "tags": ["app:x"]},
)
assert called.choices[0].message.tool_calls[0].function.name == "list_leads", called
again = [*said, called.choices[0].message, {"role": "tool", "tool_call_id": "x", "content": "[]"}]
assert litellm.completion(**proxy, messages=again).choices[0].finish_reason
