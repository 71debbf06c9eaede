"""Received records landed in a department's own table (`sql_table`, the half that writes).

    [[adapter.write]]
    resource = "legal"
        [adapter.write.what]
        table = "FR_JBXX"
        key = ["TYDM"]                  # the columns of the business key; else the table's primary key
        columns = { TYDM = "UnifiedCode", QYMC = "Name", CLRQ = "FoundDate", DZ = "Address.Full" }
        extra = { GXSJ = "now", LYJD = "origin" }

Rule 1: one transaction a batch, with the ledger in the same database (`tables` says what it holds): a parcel that comes
        again gets the answer it got, and a late process writes nothing.
Rule 2: versions decide (`rules`), equal to the node's own warehouse.
Rule 3: what does not fit its column (`cells`), or what the database refuses, is the fate of that record alone.
Rule 4: no value of a record, and no text of a database, is in any sentence.
"""

from adapters.landing.lander import Lander
from adapters.landing.plan import WRITES

__all__ = ["WRITES", "Lander"]
