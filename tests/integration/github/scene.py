"""What a test wants GitHub to say beyond what the emulator keeps."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.integration.github.emulator import FILER, PEOPLE


@dataclass
class Scene:
    """Facts by issue number or login, laid over the emulator's answers."""

    changed_at: dict[int, str] = field(default_factory=dict)
    pull_requests: set[int] = field(default_factory=set)
    thumbs_up: dict[int, list[str]] = field(default_factory=dict)
    replaced: dict[int, Any] = field(default_factory=dict)
    bots: set[str] = field(default_factory=set)
    assignable: set[str] = field(default_factory=lambda: {FILER, *PEOPLE})
    roles: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[int, str]] = field(default_factory=list)
    duplicates: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    reverses: bool = False  # lists come in the wrong order

    def forwarding(self, path: str) -> str | None:
        """Where GitHub sends who asks for a repository under a former name: by its lasting id."""
        for place, former in enumerate(self.renamed):
            root = f"/repos/{former}"
            if path == root or path.startswith(f"{root}/"):
                return f"/repositories/{place}{path.removeprefix(root)}"
        return None

    def resolved(self, path: str) -> str:
        """The path of a repository that is asked for by its lasting id."""
        match = re.match(r"/repositories/(\d+)(?=/|$)", path)
        if match is None:
            return path
        return f"/repos/{list(self.renamed.values())[int(match[1])]}{path[match.end() :]}"

    def overlay(self, item: Any) -> Any:
        """Anything GitHub sends: adds what github3.py insists on, and this scene's facts."""
        if isinstance(item, list):
            return [self.overlay(entry) for entry in item]
        if not isinstance(item, dict):
            return item
        item = {name: self.overlay(value) for name, value in item.items()}
        if "login" in item and "members_url" in item:
            item = {**_owner(item), **item}
        if item.get("login") in self.bots:
            item["type"] = "Bot"
        if "forks_count" in item:
            item.setdefault("network_count", 0)
            item.setdefault("subscribers_count", 0)
        if "body" in item:
            item.setdefault("body_html", "")
            item.setdefault("body_text", item["body"] or "")
        if "comments_url" in item and "number" in item and "labels_url" in item:
            return self._issue(item)
        return item

    def _issue(self, item: dict[str, Any]) -> Any:
        number = item["number"]
        if number in self.replaced:
            return self.replaced[number]
        changes: dict[str, Any] = {
            name: re.sub(r"\.\d+Z$", "Z", item[name])  # GitHub counts whole seconds
            for name in ("created_at", "updated_at")
        }
        if number in self.changed_at:
            changes["updated_at"] = self.changed_at[number]
        if number in self.pull_requests:
            changes["pull_request"] = {"url": f"{item['url']}/pull"}
        if number in self.duplicates and item["state"] == "closed":
            changes["state_reason"] = "duplicate"
        if number in self.thumbs_up:
            changes["reactions"] = {**item["reactions"], "+1": len(self.thumbs_up[number])}
        return {**item, **changes}

    def listing(self, issues: list[Any], query: str, url: str) -> tuple[list[Any], str]:
        """Filter, sort and cut a list of issues as GitHub does; with the Link header."""
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        field_name = {"updated": "updated_at"}.get(asked.get("sort", ""), "created_at")
        kept = [i for i in issues if _changed(i) >= asked.get("since", "")]
        kept = [i for i in kept if not (isinstance(i, dict) and i.get("number") in self.gone)]
        newest_first = asked.get("direction", "desc") == "desc"
        kept.sort(key=lambda i: _when(i, field_name), reverse=newest_first)
        if self.reverses:
            kept.reverse()
        size, page = int(asked.get("per_page", 30)), int(asked.get("page", 1))
        link = ""
        if page * size < len(kept):
            following = urlencode({**asked, "page": page + 1})
            link = f'<{url}?{following}>; rel="next"'
        return kept[(page - 1) * size : page * size], link

    def reactions(self, number: int) -> list[dict[str, Any]]:
        """The 👍 of an issue as GitHub lists them."""
        return [
            {"id": n, "content": "+1", "user": {"login": login, "type": self._type(login)}}
            for n, login in enumerate(self.thumbs_up.get(number, []), start=1)
        ]

    def react(self, comment_id: int, content: str) -> int:
        """Keep a reaction to a comment; 200 where it was there, 201 where it is new."""
        is_new = (comment_id, content) not in self.answers
        if is_new:
            self.answers.append((comment_id, content))
        return 201 if is_new else 200

    def original(self, number: int, repository: str) -> dict[str, Any]:
        """GraphQL's answer to what an issue is a duplicate of."""
        target = self.duplicates.get(number)
        home = {"nameWithOwner": repository}
        found = None if target is None else {"number": target, "repository": home}
        return {"data": {"repository": {"issue": {"duplicateOf": found}}}}

    def refused_assignees(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """GitHub's 422 for a new issue whose assignee is not assignable, else None."""
        wrong = [login for login in payload.get("assignees") or [] if login not in self.assignable]
        if not wrong:
            return None
        error = {"resource": "Issue", "field": "assignees", "code": "invalid", "value": wrong}
        return {"message": "Validation Failed", "errors": [error]}

    def _type(self, login: str) -> str:
        return "Bot" if login in self.bots else "User"


def etag_of(body: Any) -> str:
    """An ETag, which the emulator does not send: it changes with the body alone."""
    return f'W/"{hashlib.sha256(json.dumps(body).encode()).hexdigest()[:32]}"'


def _owner(organisation: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an owner that the emulator gives for people only."""
    url = f"{organisation['html_url']}"
    rooms = ("events", "followers", "following", "gists", "organizations", "received_events")
    links = {f"{room}_url": f"{url}/{room}" for room in (*rooms, "starred", "subscriptions")}
    return {**links, "avatar_url": url, "gravatar_id": "", "type": "Organization"}


def _changed(issue: Any) -> str:
    return _when(issue, "updated_at") or "9999"


def _when(issue: Any, field_name: str) -> str:
    value = issue.get(field_name) if isinstance(issue, dict) else None
    return value if isinstance(value, str) else ""
