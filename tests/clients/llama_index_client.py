"""LlamaIndex against the gateway: OPENAI_BASE_URL, OPENAI_API_KEY and MODEL say where."""

import os

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

MODEL, URL, KEY = os.environ["MODEL"], os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]


class Lead(BaseModel):
    """A lead."""

    name: str
    rooms: int


model = OpenAILike(
    model=MODEL, api_base=URL, api_key=KEY, is_chat_model=True, is_function_calling_model=True, max_retries=0
)
said = [ChatMessage(role="system", content="Be short."), ChatMessage(role="user", content="hello")]
answer = model.chat(said)
assert answer.message.content, answer
assert "".join(part.delta or "" for part in model.stream_chat(said)) == answer.message.content
assert isinstance(model.as_structured_llm(Lead).chat(said).raw, Lead)
