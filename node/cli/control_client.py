"""The other end of the control socket: one question to the running node, or, for what changes nothing, to its stores.

Rule: a node that runs is asked; only where none listens are its stores opened, and never for writing.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.cli import exits
from node.cli.grammar import told
from node.cli.situation import Situation
from node.model import codes
from node.model.codes import TABLE
from node.model.sentence import Sentence
from node.model.trouble import Trouble, trouble

if TYPE_CHECKING:
    from node.service.papers import Papers
    from node.validate.between import Betweens

WITHIN = 120.0
"""Seconds for an answer; a trace may look through a thousand parcels."""
ANSWER = 64 << 20
NOT_RUNNING = Sentence("节点没有运行（{path}）", "The node is not running ({path})")
NO_RIGHT = Sentence("无权访问控制套接字 {path}", "This account may not use the control socket {path}")
BROKEN = Sentence("控制套接字没有给出完整的应答", "The control socket gave no whole answer")


def consult(here: Situation, verb: str, **given: Any) -> dict[str, Any]:
    """Return the answer to a question that changes nothing, from the running node or from its stores."""
    answer = _ask(here, here.settings.control, {"verb": verb, **given})
    if answer is not None:
        return answer
    from node.cli.open_stores import reading
    from node.service.control import READINGS
    from node.service.control_steps import drive_stores
    from node.service.control_view import view_of_papers

    node = here.settings.node
    with reading(here) as (papers, stores):
        view = view_of_papers(papers, node.code, node.domain, here.now, _rules(here, papers, verb))
        return drive_stores(READINGS[verb](view, given), stores)


def _rules(here: Situation, papers: Papers, verb: str) -> Betweens:
    """Return the rules between records for a verb that tells findings: to read them takes all specifications."""
    from node.service.papers import read_between, read_specifications
    from node.validate.between import Betweens

    if not verb.startswith("findings."):
        return Betweens()
    return read_between(here.settings, read_specifications(here.settings, papers.crypto))


def change(here: Situation, verb: str, **given: Any) -> dict[str, Any]:
    """Return the answer to an act, which only the running node can do; else an error with status 69."""
    path = here.settings.control
    answer = _ask(here, path, {"verb": verb, **given})
    if answer is None:
        raise told(NOT_RUNNING.fill(path=path), exits.UNAVAILABLE)
    return answer


def _ask(here: Situation, path: Path, request: dict[str, Any]) -> dict[str, Any] | None:
    """Return the answer, None if nobody listens; raise the trouble the node answered with."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(WITHIN)
            line.connect(str(path))
            line.sendall(json.dumps(request).encode() + b"\n")
            octets = _read(line)
    except PermissionError:
        raise told(NO_RIGHT.fill(path=path), exits.PERMISSION) from None
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except OSError:
        raise told(BROKEN, exits.TRY_AGAIN) from None
    return _opened(octets)


def _read(line: socket.socket) -> bytes:
    kept = bytearray()
    while len(kept) <= ANSWER:
        piece = line.recv(1 << 16)
        if not piece:
            break
        kept += piece
    return bytes(kept)


def _opened(octets: bytes) -> dict[str, Any]:
    try:
        said = json.loads(octets) if octets.endswith(b"\n") else None
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and said.get("ok") is True and isinstance(said.get("answer"), dict):
        answer: dict[str, Any] = said["answer"]
        return answer
    code = TABLE.get(str(said.get("code"))) if isinstance(said, dict) else None
    if code is None or said is None:
        raise told(BROKEN, exits.TRY_AGAIN)
    raise _met(code.name, said)


def _met(name: str, said: dict[str, Any]) -> Trouble:
    details = said.get("details")
    given = {str(key): value for key, value in details.items()} if isinstance(details, dict) else {}
    met = trouble(TABLE[name], **given)
    try:
        met.sentence, met.cure
    except (LookupError, ValueError):  # a node of another version, whose sentence had other marks
        return trouble(codes.FAULT, fault=name)
    return met
