"""How much of the API an endpoint knows; the rest is left out of what is sent to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from triage.distilling.questions import Prompt

# A phrase needs 30 tokens, a wording 200; the rest is for models that think aloud. Without a
# bound one that never stops costs a whole context.
ANSWER_TOKENS = 4096
_SIMPLER_FORM = {"json_schema": "json_object", "json_object": "text"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """``form`` is ``json_schema``, ``json_object`` or ``text``; older servers know less."""

    form: str = "json_schema"
    has_temperature: bool = True
    has_max_tokens: bool = True

    def payload(self, model: str, prompt: Prompt, data: str) -> dict[str, Any]:
        """The body of a request; ``data`` is the user message, whole and alone."""
        payload: dict[str, Any] = {
            "model": model,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": data},
            ],
        }
        if self.has_temperature:
            payload["temperature"] = 0
        if self.has_max_tokens:
            payload["max_tokens"] = ANSWER_TOKENS
        if self.form == "json_schema":
            name = prompt.version.partition("-")[0]
            schema = {"name": name, "strict": True, "schema": prompt.schema}
            payload["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.form == "json_object":
            payload["response_format"] = {"type": "json_object"}
        return payload

    def simpler(self, complaint: str) -> Dialect | None:
        """One that leaves out what ``complaint`` (lower case) names, else the answer's form.

        None where nothing is left to leave out, or the text is too long whatever the form.
        """
        if self.has_temperature and "temperature" in complaint:
            return replace(self, has_temperature=False)
        is_too_long = "context" in complaint and ("length" in complaint or "window" in complaint)
        names_tokens = "max_tokens" in complaint or "max_completion_tokens" in complaint
        if self.has_max_tokens and (is_too_long or names_tokens):
            return replace(self, has_max_tokens=False)
        if is_too_long or self.form not in _SIMPLER_FORM:
            return None
        return replace(self, form=_SIMPLER_FORM[self.form])
