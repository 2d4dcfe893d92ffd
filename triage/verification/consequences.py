"""What follows on an issue from a verdict on a release; nothing that a person set is undone."""

from __future__ import annotations

from dataclasses import dataclass

from triage.verification.judging import ReleaseVerdict

_FAILED = (ReleaseVerdict.UNCHANGED, ReleaseVerdict.WORSE, ReleaseVerdict.REGRESSED)


@dataclass(frozen=True, slots=True)
class IssueStanding:
    """An issue on the day of the verdict.

    ``closed_by_machine`` is True where the machine closed it and no person touched its state;
    ``held_open_by`` is who reopened it by hand. ``milestone`` is the present one,
    ``version_milestone`` that of the judged version, ``next_milestone`` the following one's.
    ``fix_was_tried`` says that somebody claimed the judged version, or closed it as completed.
    """

    is_open: bool
    closed_by_machine: bool
    held_open_by: str | None
    milestone: str | None
    version_milestone: str
    next_milestone: str | None
    is_quick_fix: bool
    fix_was_tried: bool
    reopens: bool


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is done; ``sentences`` say it in the comment."""

    comments: bool = False
    closes: bool = False
    reopens: bool = False
    files_anew: bool = False
    milestone: str | None = None
    failed_quick_fix: bool = False
    sentences: tuple[str, ...] = ()


def consequences(verdict: ReleaseVerdict, issue: IssueStanding) -> Consequences:
    """What a verdict on the judged version does to the theme's issue; the first that holds.

    1. not enough evidence: nothing, it is looked at again on the day that was named;
    2. fixed: a comment with the figures, and it is closed, unless a person reopened it by hand;
    3. came back after the machine closed it as mended: reopened, or filed anew, never both;
    4. closed by a person, or not mended yet: a comment; nobody's closing is undone;
    5. closed by the machine and not worse: nothing;
    6. open and not fixed: a comment, the milestone of the judged version moves to the following,
       and a quick fix that was tried and did not help speaks for fundamental.
    """
    if verdict is ReleaseVerdict.NOT_ENOUGH_EVIDENCE:
        return Consequences()
    if verdict is ReleaseVerdict.FIXED:
        return _fixed(issue)
    back = verdict in (ReleaseVerdict.REGRESSED, ReleaseVerdict.WORSE)
    if issue.closed_by_machine:
        if not back:
            return Consequences()
        if issue.reopens:
            said = ("It came back, so this is open again.",)
            return Consequences(
                comments=True, reopens=True, milestone=issue.next_milestone, sentences=said
            )
        said = ("It came back; a new issue follows it, and this one stays closed.",)
        return Consequences(comments=True, files_anew=True, sentences=said)
    failed = issue.is_quick_fix and issue.fix_was_tried and verdict in _FAILED
    if not issue.is_open:
        said = ("A person closed this, so it stays closed; `/triage reopen` takes it up again.",)
        return Consequences(comments=True, failed_quick_fix=failed, sentences=said)
    return _carried_over(issue, failed=failed)


def _fixed(issue: IssueStanding) -> Consequences:
    if not issue.is_open:
        if issue.closed_by_machine:
            return Consequences()
        return Consequences(comments=True, sentences=("The figures agree with the closing.",))
    if issue.held_open_by is not None:
        said = ("A person reopened this, so it stays open; close it if you agree.",)
        return Consequences(comments=True, sentences=said)
    said = ("So this is closed. Reports that name a later version can open it again.",)
    return Consequences(comments=True, closes=True, sentences=said)


def _carried_over(issue: IssueStanding, *, failed: bool) -> Consequences:
    said = []
    milestone = None
    if issue.next_milestone is not None and issue.milestone == issue.version_milestone:
        milestone = issue.next_milestone
        said.append("It is carried over to the next version's milestone.")
    if failed:
        said.append("The quick fix did not help: that speaks for a fundamental failure.")
    return Consequences(
        comments=True, milestone=milestone, failed_quick_fix=failed, sentences=tuple(said)
    )
