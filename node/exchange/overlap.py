"""Overlap: two versions of an interface are taken side by side, each in its time (requirement C4).

Rule 1: what counts is when a record was admitted at its origin, not when it arrives: a backlog is not refused for the
        time it had to wait.
Rule 2: a refusal names the version that is right at that time.
"""

from __future__ import annotations

from node.model import codes
from node.model.instant import Instant, stamp
from node.model.registry import Resource, Term
from node.model.trouble import Code, trouble


def right(resource: Resource, at: Instant) -> str:
    """Return the version to use at an instant: the resource's own if it is taken then, else the last one that is."""
    taken = [term.specification for term in resource.versions if _begun(term, at) and not _over(term, at)]
    return resource.specification if not taken or resource.specification in taken else taken[-1]


def wrong(resource: Resource, name: str, at: Instant) -> Code | None:
    """Return why records admitted at an instant are not taken under a version; None if they are."""
    if not resource.versions:
        return None
    term = _term(resource, name)
    if term is None:
        return None if name == resource.specification else codes.VERSION_OTHER
    if not _begun(term, at):
        return codes.VERSION_EARLY
    return codes.VERSION_ENDED if _over(term, at) else None


def choose(resource: Resource, name: str | None, at: Instant) -> str:
    """Return the version a submission is judged by, which may name one.

    Raises Refused (VERSION_EARLY, VERSION_ENDED, VERSION_OTHER) for one that is not taken now.
    """
    now = right(resource, at)
    if name is None:
        return now
    if name.partition("/")[0] != resource.specification.partition("/")[0]:
        raise trouble(codes.VERSION_OTHER, resource=resource.code, spec=name, right=now)
    code = wrong(resource, name, at)
    if code is not None:
        term = _term(resource, name) or Term(name)
        since, until = (stamp(one) if one is not None else "-" for one in (term.since, term.until))
        raise trouble(code, resource=resource.code, spec=name, right=now, since=since, until=until)
    return name


def _term(resource: Resource, name: str) -> Term | None:
    return next((term for term in resource.versions if term.specification == name), None)


def _begun(term: Term, at: Instant) -> bool:
    return term.since is None or term.since <= at


def _over(term: Term, at: Instant) -> bool:
    return term.until is not None and term.until <= at
