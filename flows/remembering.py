"""What was forgotten stays out, however often a source brings it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from triage.database import Session
from triage.privacy import supporter_tombstone, tombstones_of
from triage.store.forgetting import Remains, has_tombstones, load_tombstones, save_tombstones
from triage.types import CleanReport


def without_forgotten(
    session: Session, reports: Sequence[CleanReport], key: bytes
) -> tuple[list[CleanReport], int]:
    """The reports that may be taken in, without forgotten supporters; and how many may not."""
    if not reports or not has_tombstones(session):
        return list(reports), 0
    known = {
        each
        for report in reports
        for each in (*_hashes(report, key), *_supporters(report, key).values())
    }
    gone = load_tombstones(session, known)
    kept = [report for report in reports if gone.isdisjoint(_hashes(report, key))]
    dropped = len(reports) - len(kept)
    return [_without_supporters(report, gone, key) for report in kept], dropped


def bury(session: Session, remains: Remains, key: bytes) -> None:
    """Keep the hashes of what goes now."""
    hashes = set()
    for origin, external_id, fingerprint, author in remains.names:
        hashes |= set(tombstones_of(origin, external_id, fingerprint, author, key))
        hashes.add(tombstones_of(origin, external_id, fingerprint, None, key)[1])
    if remains.author_hash is not None:
        for origin, external_id in remains.supported:
            hashes.add(supporter_tombstone(origin, external_id, remains.author_hash, key))
    save_tombstones(session, hashes)


def _hashes(report: CleanReport, key: bytes) -> tuple[str, str]:
    return tombstones_of(
        report.origin, report.external_id, report.fingerprint, report.author_hash, key
    )


def _supporters(report: CleanReport, key: bytes) -> dict[str, str]:
    return {
        person: supporter_tombstone(report.origin, report.external_id, person, key)
        for person in report.supporter_hashes
    }


def _without_supporters(report: CleanReport, gone: set[str], key: bytes) -> CleanReport:
    kept = tuple(person for person, each in _supporters(report, key).items() if each not in gone)
    return replace(report, supporter_hashes=kept)
