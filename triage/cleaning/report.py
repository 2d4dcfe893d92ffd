"""One raw report becomes a clean one, or a rejection that says what to mend."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from triage.cleaning.characters import ELLIPSIS, bound, collapse_whitespace, shorten, visible_text
from triage.cleaning.duplicates import shingle_bands
from triage.cleaning.identity import fingerprint, hash_author
from triage.cleaning.language import declared_language, find_language
from triage.cleaning.links import clean_url
from triage.cleaning.redaction import redact, redact_excerpt
from triage.cleaning.signatures import find_error, find_error_signatures
from triage.cleaning.splitting import Parts, shorten_code, split_body
from triage.types import CleanReport, RawReport, Rejection

LONGEST_ACCEPTED_BODY = 1_000_000
LONGEST_BODY = 20_000
LONGEST_FAILURE_TEXT = 2_000
LONGEST_CODE = 2_000
LONGEST_TITLE = 300
LONGEST_NAME = 200  # model, environment, channel
LONGEST_ID = 500  # an index entry of PostgreSQL holds 2,700 bytes
_LONGEST_EXCERPT = 200
# More of a text is never looked at: a 1 MB body costs as much as one of this length.
_LONGEST_READ = 100_000

_TITLE_TAG = re.compile(r"(?i)^(?:\[(?:bug|issue|question|help|feature)[^\]]{0,20}\]|bug:)[\s:-]*")

_FIELDS = {
    "body": "body", "title": "title", "external_id": "id", "channel": "source", "model": "model",
    "environment": "environment", "language": "language", "url": "url", "author": "author",
    "prompt": "prompt", "response": "response", "supporters": "supporters",
}  # fmt: skip

# What the file reader puts before the hash that serves as id of a record without one.
CONTENT_ID_PREFIX = "content-"


def clean_report(
    raw: RawReport,
    *,
    hash_key: bytes,
    received_at: datetime,
    resolve_version: Callable[[str], str | None],
) -> CleanReport | Rejection:
    """Redact, take apart and fingerprint one report; all that there is to do before storage.

    A report without a date gets ``received_at``. ``resolve_version`` gives the exact version for a
    model as it was written, or None. Never raises for any text.
    """
    redacted = redact_report(
        raw, hash_key=hash_key, received_at=received_at, resolve_version=resolve_version
    )
    return redacted if isinstance(redacted, Rejection) else with_features(redacted)


def redact_report(
    raw: RawReport,
    *,
    hash_key: bytes,
    received_at: datetime,
    resolve_version: Callable[[str], str | None],
) -> CleanReport | Rejection:
    """The first half of ``clean_report``: what must not wait, since the raw text is kept nowhere.

    No credential and no personal datum of ``raw`` is in any text of the result.
    """
    rejection = _find_rejection(raw)
    if rejection:
        return rejection
    title = shorten(collapse_whitespace(_redacted(raw.title)), LONGEST_TITLE)
    body = _redacted(raw.body).strip()
    parts = split_body(body)
    failure_text = _failure_text(title, body, parts)
    if not failure_text:
        return _reject(raw, "body", "holds no visible text", "write what failed into `body`")
    return replace(
        _about_sender(raw, hash_key, received_at, resolve_version),
        title=title,
        body=shorten(body, LONGEST_BODY),
        failure_text=failure_text,
        fingerprint=fingerprint(failure_text),
        code=_shortened_code(parts.code),
        error_signatures=_signatures(title, parts),
        language=declared_language(raw.language),
    )


def with_features(report: CleanReport) -> CleanReport:
    """The second half of ``clean_report``: what follows from the redacted text alone.

    It takes two fifths of the time, which whoever waits for an answer need not wait for. Done
    twice it changes nothing.
    """
    return replace(
        report,
        shingle_bands=shingle_bands(report.failure_text),
        language=find_language(report.language, report.failure_text),
    )


def _about_sender(
    raw: RawReport,
    hash_key: bytes,
    received_at: datetime,
    resolve_version: Callable[[str], str | None],
) -> CleanReport:
    """The report with everything but its own account: who, where, on what."""
    model = _name(raw.model)
    author_hash = _hash(raw.author, hash_key)
    return CleanReport(
        origin=raw.origin,
        external_id=_keyed(raw.external_id, hash_key),
        channel=_name(raw.channel) or "user",
        kind=raw.kind,
        created_at=_utc(raw.created_at or received_at),
        title="",
        body="",
        failure_text="",
        fingerprint="",
        model_written=model,
        model_version=resolve_version(model) if model else None,
        environment=_name(raw.environment),
        url=clean_url(raw.url),
        author_hash=author_hash,
        rating=raw.rating if raw.rating is not None and math.isfinite(raw.rating) else None,
        prompt=_text(raw.prompt),
        response=_text(raw.response),
        supporter_hashes=_hash_supporters(raw.supporters, author_hash, hash_key),
    )


def _keyed(external_id: str, hash_key: bytes) -> str:
    """An id that was made from the content says nothing about it to who lacks the key.

    Its plain hash would let anybody try out authors until one fits.
    """
    if not external_id.startswith(CONTENT_ID_PREFIX):
        return external_id
    return CONTENT_ID_PREFIX + hmac.new(hash_key, external_id.encode(), "sha256").hexdigest()[:32]


def _find_rejection(raw: RawReport) -> Rejection | None:
    """The first reason why a report cannot be taken, or None."""
    if len(raw.body) > LONGEST_ACCEPTED_BODY:
        problem = f"has {len(raw.body):,} characters, more than {LONGEST_ACCEPTED_BODY:,}"
        return _reject(raw, "body", problem, "shorten it to what shows the failure, ingest again")
    for attribute, name in _FIELDS.items():
        value = getattr(raw, attribute)
        if "\0" in ("".join(value) if isinstance(value, tuple) else value or ""):
            return _reject(raw, name, "has NUL bytes", "remove the NUL bytes and ingest again")
    identifier = raw.external_id
    if not identifier.strip() or len(identifier) > LONGEST_ID:
        problem = f"has {len(identifier)} characters" if identifier.strip() else "is blank"
        return _reject(raw, "id", problem, f"give an id of 1 to {LONGEST_ID} characters")
    # Numbers that look like a phone or an IP are ordinary in ids; keys and addresses are not.
    hidden = redact(identifier)
    is_private = "[secret]" in hidden or "[email]" in hidden
    if is_private or visible_text(identifier) != identifier or "\n" in identifier:
        problem = "holds a secret, an address or invisible characters"
        return _reject(raw, "id", problem, "give the report another id and ingest again")
    is_blank = not visible_text(raw.body[:_LONGEST_READ]).strip()
    # An issue with a title and no body at all still says what failed.
    if is_blank and (raw.body or not visible_text(raw.title).strip()):
        return _reject(raw, "body", "is missing or blank", "write what failed into `body`")
    return None


def _reject(raw: RawReport, field: str, problem: str, remedy: str) -> Rejection:
    everything = "\x1f".join((raw.external_id, raw.title, raw.body))
    excerpt = collapse_whitespace(redact_excerpt(bound(raw.body or raw.title, 2_000)))
    return Rejection(
        origin=visible_text(raw.origin),
        place=visible_text(raw.place),
        field=field,
        problem=problem,
        remedy=remedy,
        excerpt=shorten(excerpt, _LONGEST_EXCERPT),
        digest=hashlib.sha256(everything.encode("utf-8", "surrogatepass")).hexdigest(),
    )


def _redacted(text: str) -> str:
    return redact(bound(text, _LONGEST_READ))


def _text(text: str | None) -> str | None:
    return (shorten(_redacted(text).strip(), LONGEST_BODY) or None) if text else None


def _name(text: str | None) -> str | None:
    return (shorten(collapse_whitespace(_redacted(text)), LONGEST_NAME) or None) if text else None


def _failure_text(title: str, body: str, parts: Parts) -> str:
    """Title and own words; without own words, what the errors, the code or the quotes say."""
    words: Iterable[str] = parts.prose
    if not parts.prose:
        errors = [line for line in parts.code if find_error(line)]
        words = [*errors[:3], *parts.code[:3]] or parts.quoted or ([] if title else [body])
    own = collapse_whitespace("\n".join(words))
    title = _TITLE_TAG.sub("", title)
    # A title that only repeats the beginning of the body would count twice.
    lead = title.rstrip(f"{ELLIPSIS}. ")
    joined = own if lead and own.startswith(lead) else _as_sentences(title, own)
    # Taking markup away can join the halves of a secret that it had cut.
    return shorten(redact(joined).strip(), LONGEST_FAILURE_TEXT)


def _as_sentences(title: str, own: str) -> str:
    if not title or not own:
        return title or own
    return f"{title} {own}" if title[-1] in ".!?:。！？…" else f"{title}. {own}"  # noqa: RUF001


def _shortened_code(lines: list[str]) -> str:
    return redact(shorten_code(lines, LONGEST_CODE)).strip("\n")


def _signatures(title: str, parts: Parts) -> tuple[str, ...]:
    prose = "\n".join([title, *parts.prose])
    return tuple(redact(line) for line in find_error_signatures("\n".join(parts.code), prose))


def _hash(handle: str | None, key: bytes) -> str | None:
    name = visible_text(handle).strip().lstrip("@").strip() if handle else ""
    return hash_author(name, key) if name else None


def _hash_supporters(
    handles: Iterable[str], author_hash: str | None, key: bytes
) -> tuple[str, ...]:
    hashes = dict.fromkeys(_hash(handle, key) for handle in handles)
    return tuple(value for value in hashes if value and value != author_hash)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
