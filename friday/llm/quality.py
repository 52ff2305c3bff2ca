"""What can be said of an answer in yes and no: is it in the form that was asked for, a refusal, in the right language?

Pure. Numbers come out, never a text. The answers of both paths are measured alike, so a rough measure compares them.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

from friday.llm.constants import Feature
from friday.llm.types import InvokeParams, InvokeResult, SchemaFormat, TextPart

SCHEMA, ANSWERED, LANGUAGE = "schema", "answered", "language"
CHECKS = (SCHEMA, ANSWERED, LANGUAGE)

_READ_CHARS = 2_000
"""Of a text, enough to tell its language."""
_OPENING_CHARS = 300
"""A refusal begins with it."""

_REFUSALS = re.compile(
    r"\bas an? (ai|artificial|language model)\b"
    r"|\b(i am|i'm) (very |really )?sorry,? (but|i can)"
    r"|\b(i|we) (can ?not|can't|will not|won't|am unable to|am not able to) "
    r"(assist|help|provide|answer|comply|create|do|fulfil|fulfill|share|support|write)"
    r"|\bi'm (unable|not able) to\b"
    r"|\bsom (en )?(ai|sprogmodel)\b|\b(jeg )?kan (jeg )?(desværre )?ikke (hjælpe|svare|give|skrive)"
    r"|\bals (ki|sprachmodell)\b|\b(ich )?kann (ich )?(dir |ihnen |dabei )?(leider )?nicht (helfen|weiterhelfen|dienen)"
)
"""The usual test of refusals by their phrases, as in A. Zou et al., "Universal and Transferable Adversarial Attacks on
Aligned Language Models", 2023; in English, Danish and German."""

_SMALL_WORDS = {
    "english": "a an and are as at be but can do for from have how i if in is it my not of on or please that the"
    " this to was we what will with you your",
    "danish": "af at de den der det du eller en er et fra for har hvad hvordan i ikke jeg kan man med men min"
    " og om på skal som til vi være",
    "swedish": "att av de den det du eller en ett från för har hur i inte jag kan man med men min och om på ska"
    " som till vad vi är",
    "german": "als auch auf aus bei das dem den der die ein eine er es für ich im in ist kann mit nicht oder"
    " sie sind so und von was wie wir zu",
    "french": "au avec ce comme dans de des du elle en est et il je la le les mais ne nous ou par pas pour que"
    " qui sur un une vous",
    "spanish": "al como con de del el en es esta la las lo los más mi no o para pero por que se ser su sus un una y yo",
}
_WORDS = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}
"""Small words tell a language: G. Grefenstette, "Comparing two language identification schemes", JADT 1995."""

_LEAST_WORDS = 3
_LEAD = 1.2
"""How many times as many small words as the next language's: related languages share many."""


def examine(feature: Feature, request: InvokeParams, result: InvokeResult) -> dict[str, bool]:
    """Return which checks an answer passed; one that says nothing about it is left out, and all of a tool call's."""
    text = result.text
    if not text:
        return {}
    found = {ANSWERED: not is_refusal(text, result.choices[0].finish_reason)}
    formed = is_formed(feature, request, text)
    if formed is not None:
        return {**found, SCHEMA: formed}
    asked, answered = language(_question(request)), language(text)
    return {**found, LANGUAGE: asked == answered} if asked and answered else found


def is_refusal(text: str, finish_reason: str | None) -> bool:
    """Return whether an answer refuses, by its first words; or the provider's filter did."""
    if finish_reason == "content_filter":
        return True
    return bool(_REFUSALS.search(text[:_OPENING_CHARS].lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))


def is_formed(feature: Feature, request: InvokeParams, text: str) -> bool | None:
    """Return whether an answer that a program reads is what it needs; None for one that people read.

    Labels are a JSON array of strings. JSON mode wants JSON, and a schema's object its required fields.
    """
    wanted = request.response_format
    is_json_mode = wanted is not None and wanted.type != "text"
    if feature is not Feature.EMAIL_LABELS and not is_json_mode:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not is_json_mode:
        return isinstance(found, list) and all(isinstance(each, str) for each in found)
    schema = wanted.json_schema.json_schema if isinstance(wanted, SchemaFormat) else {"type": "object"}
    return _has_required(found, schema)


def language(text: str) -> str:
    """Return the language of a text, or its script where that is not Latin; "" when it cannot be told."""
    text = re.sub(r"```.*?(```|\Z)", " ", text[:_READ_CHARS], flags=re.DOTALL)
    letters = [char for char in text if char.isalpha()]
    scripts = Counter(unicodedata.name(char, "?").split()[0] for char in letters)
    if not scripts:
        return ""
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > len(letters) / 10:
        return "japanese"  # most of its letters may be Chinese
    script, most = scripts.most_common(1)[0]
    if script != "LATIN":
        return script.lower() if most > len(letters) / 2 else ""
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = Counter({name: sum(word in known for word in words) for name, known in _WORDS.items()})
    (best, found), (_, second) = counts.most_common(2)
    return best if found >= _LEAST_WORDS and found >= _LEAD * second else ""


def _has_required(found: object, schema: Mapping[str, Any]) -> bool:
    if schema.get("type", "object") != "object":
        return True
    return isinstance(found, dict) and all(name in found for name in schema.get("required", ()))


def _question(request: InvokeParams) -> str:
    """Return the text of the last message of the user."""
    content = next((each.content for each in reversed(request.messages) if each.role == "user"), None)
    if isinstance(content, list):
        return " ".join(part.text for part in content if isinstance(part, TextPart))
    return content or ""
