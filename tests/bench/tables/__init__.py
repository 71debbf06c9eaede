"""A table of one database into a table of another: through the exchange, and by others; and changes as they come.

Everything is on: rows are judged at the department and again at the centre, signed, encrypted, durable at both ends and
in both databases, receipted.  The department's adapter reads the table, the centre's lands it.
"""

from tests.bench.tables.measure import Tables, report, tables

__all__ = ["Tables", "report", "tables"]
