"""Two nodes, the department's adapter at one database and the centre's at another."""

from __future__ import annotations

import signal
from pathlib import Path

from node.cli.demo.site import Plan, Site, lay_out
from tests.adapters.servers import Database
from tests.bench.machine import children, cpu, cpu_of_children
from tests.bench.memory import resident
from tests.bench.pair import CENTRE, DEPARTMENT, Node
from tests.bench.tables.rows import RESOURCE, SPECIFICATION, TABLE

PLAN = Plan(CENTRE, [DEPARTMENT], {RESOURCE: SPECIFICATION}, {RESOURCE: [DEPARTMENT]}, {})


class Lane:
    """The two nodes; the department's adapter comes with `read`."""

    def __init__(self, folder: Path, source: Database, target: Database) -> None:
        """Lay both nodes out and start them."""
        self._source = source
        self._site: Site = lay_out(folder, PLAN)
        self._configure(CENTRE, "writes", target, f'[[adapter.write]]\nresource = "{RESOURCE}"\n', "")
        self.nodes = [Node(self._site.seats[node]) for node in (CENTRE, DEPARTMENT)]
        self.children = 0
        try:
            for node in self.nodes:
                node.wait_ready()
        except BaseException:
            self.stop()
            raise

    def read(self, every: str, more: str = "") -> None:
        """Have the department read the source from now on; `more` says more of what is read."""
        part = f'[[adapter.read]]\nresource = "{RESOURCE}"\nevery = "{every}"\nrows = 1000000\ntime = "1h"\n'
        self._configure(DEPARTMENT, "reads", self._source, part, more)
        self.nodes[1].process.send_signal(signal.SIGHUP)

    def look(self) -> None:
        """Note how much memory the adapters' processes hold (octets, the most that was seen)."""
        held = (resident(pid) for node in self.nodes for pid in children(node.process.pid))
        self.children = max(self.children, *held, 0)

    def cpu(self) -> dict[str, float]:
        """Return the cpu seconds of the two nodes and of their adapters."""
        centre, department = (node.process.pid for node in self.nodes)
        return {"department": cpu(department), "its adapter": cpu_of_children(department), "centre": cpu(centre),
                "its adapter at the target": cpu_of_children(centre)}

    def stop(self) -> None:
        """Stop both nodes."""
        for node in self.nodes:
            node.stop()

    def _configure(self, node: str, name: str, database: Database, part: str, more: str) -> None:
        folder = self._site.seats[node].folder
        secret = folder / "db.password"
        secret.write_text(database.password or "")
        secret.chmod(0o600)
        (folder / "conf.d").mkdir(exist_ok=True)
        (folder / "conf.d" / "adapter.toml").write_text(
            f'[[adapter]]\nname = "{name}"\nkind = "sql_table"\nsettings = {{ url = "{database.url}" }}\n'
            f'secrets = {{ password = "./db.password" }}\n{part}what = {{ table = "{TABLE}"{more} }}\n',
            encoding="utf-8")
