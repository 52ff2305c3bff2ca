"""LangChain against the gateway: OPENAI_BASE_URL, OPENAI_API_KEY and MODEL say where."""

import os

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class Lead(BaseModel):
    """A lead."""

    name: str
    rooms: int


@tool
def list_leads() -> str:
    """List the leads."""
    return "[]"


model = ChatOpenAI(model=os.environ["MODEL"], max_retries=0, metadata={"run": "7"}, tags=["app:x"], timeout=60)
answer = model.invoke("hello")
assert answer.text, answer
assert "".join(chunk.text for chunk in model.stream("hello")) == answer.text
said = [HumanMessage("hello")]
called = model.bind_tools([list_leads], tool_choice="any").invoke(said)
assert [call["name"] for call in called.tool_calls] == ["list_leads"], called
result = ToolMessage("[]", tool_call_id=called.tool_calls[0]["id"])
assert model.bind_tools([list_leads]).invoke([*said, called, result]).response_metadata
assert isinstance(model.with_structured_output(Lead).invoke("hello"), Lead)
