"""The peers we connect to: one link each and the loops over it, started and stopped as the settings name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from node.config import PeerSection
from node.deliver.asker import Asker
from node.deliver.greeter import Greeter
from node.deliver.pump import Pump
from node.intake.collector import Collector
from node.service.links import Wires
from node.wire.link import PeerLink
from node.workers import Desk


@dataclass(frozen=True, slots=True)
class _Served:
    """A peer with its link and the loops that run over it."""

    section: PeerSection
    link: PeerLink
    loops: Sequence[Deferred[None]]

    def as_in(self, section: PeerSection) -> bool:
        """Return whether the link is still what the settings ask for; papers and limits are looked up anew anyway."""
        mine = self.section
        return (mine.address, mine.profile, mine.collects) == (section.address, section.profile, section.collects)


class Peers:
    """Serves every peer that has an address."""

    def __init__(self, desk: Desk, wires: Wires) -> None:
        self._desk, self._wires = desk, wires
        self._served: dict[str, _Served] = {}

    def follow(self, sections: Iterable[PeerSection]) -> None:
        """Serve exactly these peers: new ones are started, those left out or moved elsewhere are let go."""
        wanted = {section.node: section for section in sections if section.address is not None}
        for node, served in list(self._served.items()):
            if node not in wanted or not served.as_in(wanted[node]):
                self._let_go(node)
        for node, section in wanted.items():
            if node not in self._served:
                self._served[node] = self._serve(section)

    def close_where(self, gone: Callable[[str], bool]) -> int:
        """Abort connections to certificates that are good no more; return how many."""
        return sum(served.link.close_where(gone) for served in self._served.values())

    def close(self) -> None:
        """Let every peer go."""
        for node in list(self._served):
            self._let_go(node)

    def _serve(self, section: PeerSection) -> _Served:
        desk, node = self._desk, section.node
        link: PeerLink = self._wires.link(
            desk.reactor, section, lambda: desk.means.registry, lambda: self._changed(link)
        )
        desk.counter.gauge("peer_up", 0.0, peer=node)
        asker = Asker(desk, link)
        works = [
            (f"greeter:{node}", Greeter(desk, link).run), (f"pump:{node}", Pump(desk, link).run),
            (f"asker:{node}", asker.poll), (f"giver:{node}", asker.give),
        ]
        if section.collects:
            works.append((f"collector:{node}", Collector(desk, link).run))
        # A loop ends only by being cancelled; what it met on the way it has logged itself.
        loops = [desk.keep(name, work).addErrback(lambda failure: None) for name, work in works]
        return _Served(section, link, loops)

    def _let_go(self, node: str) -> None:
        served = self._served.pop(node)
        for loop in served.loops:
            loop.cancel()
        served.link.close()
        self._desk.counter.gauge("peer_up", 0.0, peer=node)

    def _changed(self, link: PeerLink) -> None:
        self._desk.counter.gauge("peer_up", float(link.up), peer=link.peer)
        self._desk.bell.ring(f"link:{link.peer}")
