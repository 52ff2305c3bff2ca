"""pydantic-ai against the gateway: OPENAI_BASE_URL, OPENAI_API_KEY and MODEL say where."""

import os

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class Lead(BaseModel):
    """A lead."""

    name: str
    rooms: int


model = OpenAIChatModel(os.environ["MODEL"], provider=OpenAIProvider())
answer = Agent(model, instructions="Be short.").run_sync("hello")
assert answer.output, answer
further = Agent(model).run_sync("and then?", message_history=answer.all_messages())
assert further.output
assert isinstance(Agent(model, output_type=Lead, retries=0).run_sync("hello").output, Lead)
