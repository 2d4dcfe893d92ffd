"""Reports with their centred vectors, as every stage from theming on compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flows.distilling import load_phrases
from flows.embed_reports import find_report_space, open_embedder
from triage.cleaning import TEXT_VERSION, fingerprint
from triage.clustering import LanguageCentres, fit_centres, unit_length
from triage.database import Session
from triage.distilling import FAILURE_PROMPT
from triage.errors import EmbeddingError
from triage.store.clusterings import load_centres, load_last_run, load_latest_run
from triage.store.embeddings import load_vectors
from triage.store.reports import count_reports, load_reports
from triage.themes import core_of
from triage.types import Member, Report
from triage.workspace import Workspace

# Average precision of pairs, labelled reports with an LLM's phrases: 0 0.28, 1 0.53, 1.5 0.55, 2.5
# 0.56, the phrase alone 0.52.
PHRASE_WEIGHT = 2.0
TEXT, PHRASE = "text", "phrase"
SPACE = "space of the reports"
FEW = 5000  # vectors that are asked for one by one; of more, all are loaded
OVERALL, FOREIGN = "", "*"  # beside the languages' own codes
Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Corpus:
    """Embedded reports and their centred unit vectors by fingerprint.

    ``raw`` are the vectors as the model gave them, where they were loaded.
    """

    reports: tuple[Report, ...]
    vectors: dict[str, Vector]
    raw: Mapping[str, Vector] = field(default_factory=dict)

    def rows(self, reports: Sequence[Report | Member]) -> NDArray[np.float32]:
        """Vectors of some reports, in their order: (n, d)."""
        rows = [self.vectors[report.fingerprint] for report in reports]
        return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)

    def by_theme(self) -> dict[int, list[Report]]:
        """The core of every theme when the corpus was loaded, oldest first."""
        members: dict[int, list[Report]] = {}
        for report in self.reports:
            if report.theme_id is not None:
                members.setdefault(report.theme_id, []).append(report)
        return {theme_id: core_of(reports) for theme_id, reports in members.items()}


@dataclass(frozen=True)
class Centring:
    """What is taken away from texts and from an LLM's phrases before they are compared.

    Fitted by a full clustering and kept until the next: two reports are as alike tomorrow as they
    are today, whatever arrives in between.
    """

    texts: LanguageCentres
    phrases: LanguageCentres

    def columns(self) -> dict[tuple[str, str], Vector]:
        """The centres by kind and language, for storing."""
        return {
            (kind, language): centre
            for kind, centres in ((TEXT, self.texts), (PHRASE, self.phrases))
            for language, centre in {
                **centres.by_language,
                OVERALL: centres.overall,
                FOREIGN: centres.foreign,
            }.items()
        }

    @staticmethod
    def of_columns(columns: Mapping[tuple[str, str], Vector]) -> Centring:
        """The centring that ``columns`` was made of."""

        def centres(kind: str) -> LanguageCentres:
            own = {language: vector for (each, language), vector in columns.items() if each == kind}
            return LanguageCentres(own.pop(OVERALL), own.pop(FOREIGN), own)

        return Centring(centres(TEXT), centres(PHRASE))


def load_corpus(workspace: Workspace, session: Session) -> Corpus:
    """Everything that was embedded with the present model, centred as the last clustering fitted.

    Raises ``EmbeddingError`` when reports exist and none was embedded with it.
    """
    space_id = require_space(workspace, session)
    centring = load_centring(session, space_id) if space_id is not None else None
    last = load_last_run(session)
    if last is not None and last.space_id != space_id:
        raise EmbeddingError(
            "Comparing reports",
            "the themes were not carried over to the present embedding model yet",
            "Run `triage run`, or the flow update_themes, and see what it says; or set the former "
            "model again.",
        )
    return gather_all(workspace, session, centring)[0]


def load_part(workspace: Workspace, session: Session, reports: Sequence[Report]) -> Corpus:
    """Those of some reports that were embedded, centred as ``load_corpus`` does."""
    space_id = require_space(workspace, session)
    centring = load_centring(session, space_id) if space_id is not None else None
    if centring is None:
        return load_corpus(workspace, session)
    return gather(workspace, session, reports, centring)[0]


def require_space(workspace: Workspace, session: Session) -> int | None:
    """The space of the present model; None while nothing was embedded and there is nothing to.

    Raises ``EmbeddingError`` when reports exist and none was embedded with it.
    """
    # Kept with the transaction: to name its revision the model's files are read, 0.1 s each time.
    space_id: int | None = session.info.get(SPACE)
    if space_id is None:
        space_id = find_report_space(session, open_embedder(workspace))
        session.info[SPACE] = space_id
    if space_id is None and count_reports(session):
        raise _nothing_embedded(workspace)
    return space_id


def _nothing_embedded(workspace: Workspace) -> EmbeddingError:
    return EmbeddingError(
        "Updating the themes",
        f"no report was embedded with {open_embedder(workspace).model} yet",
        "Run `triage run`, or the flow embed_reports, first.",
    )


def load_centring(session: Session, space_id: int) -> Centring | None:
    """The centring of the last full clustering in a space, None before the first."""
    run = load_latest_run(session, space_id)
    return None if run is None else Centring.of_columns(load_centres(session, run.run_id))


def representation(workspace: Workspace) -> str:
    """What vectors are made of besides the model; what it changes calls for a full clustering."""
    model = workspace.settings.llm_model if workspace.settings.llm_base_url else None
    return f"{TEXT_VERSION}, " + (f"{FAILURE_PROMPT.version} by {model}" if model else "no phrases")


def gather_all(
    workspace: Workspace, session: Session, centring: Centring | None
) -> tuple[Corpus, Centring | None]:
    """Everything, and the centring used: fitted to it if None.

    Raises ``EmbeddingError`` when reports exist and none has a vector.
    """
    reports = load_reports(session)
    found = gather(workspace, session, reports, centring)
    if reports and not found[0].reports:
        raise _nothing_embedded(workspace)
    return found


def gather(
    workspace: Workspace, session: Session, reports: Sequence[Report], centring: Centring | None
) -> tuple[Corpus, Centring | None]:
    """Those of some reports that have a vector, and the centring used: fitted to them if None."""
    space_id = require_space(workspace, session)
    if space_id is None or not reports:
        return Corpus((), {}), centring
    keys = {report.fingerprint for report in reports}
    raw = load_vectors(session, space_id, keys if len(keys) <= FEW else None)
    known = tuple(report for report in reports if report.fingerprint in raw)
    if not known:
        return Corpus((), {}), centring
    phrases = _load_phrase_vectors(workspace, session, space_id, keys)
    # The oldest report of a text says its language.
    languages = {report.fingerprint: report.language for report in reversed(known)}
    if centring is None:
        centring = _fit(known, raw, phrases)
    spoken = list(languages.values())
    texts = centring.texts.centred(np.stack([raw[key] for key in languages]), spoken)
    vectors = dict(zip(languages, texts, strict=True))
    if phrases:
        both = [key for key in phrases if key in vectors]
        matrix = np.stack([phrases[key] for key in both])
        said = centring.phrases.centred(matrix, ["en"] * len(both))
        blended = unit_length(np.stack([vectors[key] for key in both]) + PHRASE_WEIGHT * said)
        vectors.update(zip(both, blended, strict=True))
    return Corpus(known, vectors, raw), centring


def _fit(
    reports: Sequence[Report], raw: Mapping[str, Vector], phrases: Mapping[str, Vector]
) -> Centring:
    """Each text counts once and its copies not at all: a flood must not pull the centre over."""
    languages = {
        report.fingerprint: report.language
        for report in reversed(reports)
        if report.duplicate_of is None
    } or {report.fingerprint: report.language for report in reports}
    matrix = np.stack([raw[key] for key in languages])
    said = [phrases[key] for key in languages if key in phrases]
    return Centring(
        texts=fit_centres(matrix, list(languages.values())),
        phrases=fit_centres(np.stack(said) if said else matrix[:0], ["en"] * len(said)),
    )


def _load_phrase_vectors(
    workspace: Workspace, session: Session, space_id: int, keys: set[str]
) -> dict[str, Vector]:
    """Raw vectors of the phrases that an LLM put texts into, by the text's fingerprint."""
    found = load_phrases(session, workspace.settings)
    phrases = {key: fingerprint(found[key].failure) for key in sorted(keys & found.keys())}
    if not phrases:
        return {}
    wanted = set(phrases.values())
    raw = load_vectors(session, space_id, wanted if len(wanted) <= FEW else None)
    return {key: raw[phrase] for key, phrase in phrases.items() if phrase in raw}
