"""Discussions of repositories on the Hugging Face Hub: incremental by what the listing says.

The listing tells neither when a discussion changed nor who took part, but how many comments and
reactions it has: a discussion whose line differs from last time is read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2  # what the Hub's client speaks with
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from triage.errors import SourceError
from triage.sources.conversations import part_of
from triage.sources.issue_fields import UnreadableIssue, number_of, text_of
from triage.sources.pages import ReportPage, set_aside
from triage.types import Kind, RawReport

DISCUSSIONS_PER_PAGE = 20
MOST_LISTED = 500  # pages of the listing, lest a broken server send us on for ever
TIMEOUT_SECONDS = 30.0
THUMBS_UP = "👍"


@dataclass(frozen=True, slots=True)
class HubRepository:
    """A repository on the Hub: ``kind_of_repository`` is model, dataset or space."""

    name: str
    kind_of_repository: str = "model"
    reported_by: Kind = Kind.USER

    @property
    def origin(self) -> str:
        """Name of this source in the database."""
        return f"huggingface:{self.kind_of_repository}s/{self.name}"


class Hub:
    """Asks the Hub's API, with the client's own session, headers and retries."""

    def __init__(self, endpoint: str, token: str | None) -> None:
        self._endpoint = endpoint.rstrip("/")
        # False: never a token that lies about on this machine
        self._headers = build_hf_headers(token=token or False, library_name="feedback-triage")

    def fetch_listing(self, repository: HubRepository) -> Iterator[Any]:
        """The lines of all discussions and pull requests. Raises ``SourceError``."""
        seen = 0
        for page in range(MOST_LISTED):
            found = self._get(repository, "", {"p": str(page)})
            lines = found.get("discussions") if isinstance(found, Mapping) else None
            if not isinstance(lines, list):
                raise _refusal(repository, "the listing has no field 'discussions'")
            yield from lines
            seen += len(lines)
            total = found.get("count")
            if not lines or not isinstance(total, int) or seen >= total:
                return

    def fetch_discussion(self, repository: HubRepository, number: int) -> Any:
        """A discussion with its comments. Raises ``SourceError``."""
        return self._get(repository, f"/{number}", {})

    def web_address(self, repository: HubRepository, number: int) -> str:
        """Where people read it."""
        kind = repository.kind_of_repository
        folder = "" if kind == "model" else f"{kind}s/"
        return f"{self._endpoint}/{folder}{repository.name}/discussions/{number}"

    def _get(self, repository: HubRepository, path: str, parameters: dict[str, str]) -> Any:
        folder = f"{repository.kind_of_repository}s/{repository.name}"
        url = f"{self._endpoint}/api/{folder}/discussions{path}"
        try:
            response = http_backoff(
                "GET", url, params=parameters, headers=self._headers, timeout=TIMEOUT_SECONDS,
                max_retries=2, base_wait_time=0.5,
            )  # fmt: skip
            hf_raise_for_status(response)
            return response.json()
        except HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else "no status"
            raise _refusal(repository, f"the Hub answered {status}") from error
        except OfflineModeIsEnabled as error:
            raise SourceError(
                f"Reading discussions of {repository.name}",
                "HF_HUB_OFFLINE is set",
                "Unset it, or take the repository out of sources.huggingface.",
            ) from error
        except (httpx2.HTTPError, OSError) as error:
            raise _refusal(repository, f"no answer ({type(error).__name__})") from error
        except (ValueError, RecursionError) as error:
            raise _refusal(repository, "the answer is no JSON") from error


def fetch_discussions(
    hub: Hub, repository: HubRepository, cursor: str | None, *, redact: Callable[[str], str]
) -> Iterator[ReportPage]:
    """Reports of the discussions that are new or changed since ``cursor``.

    Pull requests and hidden first comments are left out. Who commented, or gave the first comment
    a 👍, supports the report. Raises ``SourceError``; the last cursor then still holds.
    """
    known = _states(cursor)
    listed = [line for line in hub.fetch_listing(repository) if _is_discussion(line)]
    states = {str(line["num"]): _state(line) for line in listed}
    known = {number: state for number, state in known.items() if number in states}
    changed = sorted((n for n in states if known.get(n) != states[n]), key=int)
    for start in range(0, len(changed), DISCUSSIONS_PER_PAGE):
        reports, rejections = [], []
        for number in changed[start : start + DISCUSSIONS_PER_PAGE]:
            item = hub.fetch_discussion(repository, int(number))
            try:
                report = _report(hub, repository, item)
            except UnreadableIssue as problem:
                place = f"{repository.name} discussion {number}"
                remedy = "Open it on the Hub; if it reads well there, the API's answer is at fault."
                rejections.append(
                    set_aside(repository.origin, place, problem, item, remedy, redact)
                )
            else:
                if report is not None:
                    reports.append(report)
            known[number] = states[number]
        after = json.dumps({"discussions": known})
        yield ReportPage(tuple(reports), tuple(rejections), after)


def _report(hub: Hub, repository: HubRepository, item: Any) -> RawReport | None:
    if not isinstance(item, Mapping):
        raise UnreadableIssue("discussion", "it is not an object")
    number = number_of({"number": item.get("num")})
    comments = _comments(item)
    first = comments[0] if comments else {}
    if part_of(first, "data").get("hidden"):
        return None
    latest = part_of(part_of(first, "data"), "latest")
    name = f"{repository.name}/discussions/{number}"
    author = _name(item.get("author"))
    return RawReport(
        origin=repository.origin,
        external_id=name,
        place=name,
        title=text_of(item, "title"),
        body=text_of(latest, "raw", optional=True),
        channel="huggingface",
        kind=repository.reported_by,
        created_at=_moment(item.get("createdAt")),
        url=hub.web_address(repository, number),
        author=author,
        supporters=_supporters(comments, first, author),
    )


def _supporters(
    comments: list[Mapping[str, Any]], first: Mapping[str, Any], author: str | None
) -> tuple[str, ...]:
    people = [_name(comment.get("author")) for comment in comments]
    reactions = part_of(first, "data").get("reactions")
    for reaction in reactions if isinstance(reactions, list) else ():
        if isinstance(reaction, Mapping) and reaction.get("reaction") == THUMBS_UP:
            users = reaction.get("users")
            people += [u for u in users if isinstance(u, str)] if isinstance(users, list) else []
    return tuple(dict.fromkeys(one for one in people if one and one != author))


def _comments(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    events = item.get("events")
    if not isinstance(events, list):
        raise UnreadableIssue("events", "it is no list")
    return [one for one in events if isinstance(one, Mapping) and one.get("type") == "comment"]


def _name(author: Any) -> str | None:
    name = author.get("name") if isinstance(author, Mapping) else None
    return name if isinstance(name, str) and name else None


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError) as error:
        raise UnreadableIssue("createdAt", "it is not a time") from error


def _is_discussion(line: Any) -> bool:
    return (
        isinstance(line, Mapping)
        and type(line.get("num")) is int  # a truth value is none, though Python counts it as one
        and not line.get("isPullRequest")
    )


def _state(line: Mapping[str, Any]) -> str:
    names = ("title", "status", "numComments", "numReactionUsers")
    told = json.dumps([line.get(name) for name in names], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _states(cursor: str | None) -> dict[str, str]:
    try:
        stored = json.loads(cursor or "{}")["discussions"]
        return {str(int(number)): str(state) for number, state in stored.items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def _refusal(repository: HubRepository, problem: str) -> SourceError:
    return SourceError(
        f"Reading discussions of {repository.name}",
        problem,
        "Check the name, and TRIAGE_HF_TOKEN for a private repository; the next run tries again.",
    )
