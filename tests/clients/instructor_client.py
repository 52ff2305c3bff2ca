"""instructor against the gateway: OPENAI_BASE_URL, OPENAI_API_KEY and MODEL say where."""

import os

import instructor
import openai
from pydantic import BaseModel


class Lead(BaseModel):
    """A lead."""

    name: str
    rooms: int


for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
    client = instructor.from_openai(openai.OpenAI(max_retries=0, timeout=60), mode=mode)
    said = [{"role": "user", "content": "hello"}]
    lead = client.chat.completions.create(model=os.environ["MODEL"], messages=said, response_model=Lead, max_retries=0)
    assert isinstance(lead, Lead), lead
