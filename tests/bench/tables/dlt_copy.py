"""dlt copies one table, by its pyarrow backend: run by a Python that has it, and not by ours.

    python dlt_copy.py FOLDER < {"source": URL, "target": URL, "table": NAME}

Prints the seconds it took, without the start of the interpreter.
"""

from __future__ import annotations

import json
import os
import sys
import time

import dlt
from dlt.destinations import postgres
from dlt.sources.sql_database import sql_table


def main() -> None:
    """Copy the table."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}
    told = json.load(sys.stdin)
    table = sql_table(told["source"], table=told["table"], backend="pyarrow", chunk_size=50_000)
    pipeline = dlt.pipeline(
        "copy", destination=postgres(told["target"]), dataset_name="copied", pipelines_dir=sys.argv[1])
    begun = time.monotonic()
    pipeline.run(table, write_disposition="append", loader_file_format="csv")
    print(time.monotonic() - begun)


if __name__ == "__main__":
    main()
