"""The stores of the configured node, opened for reading only: beside the running node, or without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from node.cli import exits
from node.cli.grammar import told
from node.cli.situation import Situation
from node.model.sentence import Sentence
from node.service.papers import Papers, read_papers
from node.service.stores import Stores, open_stores


def exist(here: Situation) -> bool:
    """Return whether the node ran before, so that there is something to open."""
    return (here.settings.node.state / "outbox.db").exists()


@contextmanager
def reading(here: Situation) -> Iterator[tuple[Papers, Stores]]:
    """Yield the node's papers and its stores; nothing in them can be changed.

    Raises the troubles of `read_papers`, and an error of the command line while there are no stores yet.
    """
    settings = here.settings
    if not exist(here):
        raise told(
            Sentence("节点还没有运行过，没有数据库", "The node never ran: it has no stores yet"), exits.UNAVAILABLE
        )
    papers = read_papers(settings, here.out.note, here.chance)
    storage = papers.keyring.storage()
    stores = open_stores(settings.node.state, storage, papers.crypto, here.now, here.chance, writing=False)
    try:
        yield papers, stores
    finally:
        stores.close()
