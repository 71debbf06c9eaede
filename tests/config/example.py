"""A small whole configuration to spoil, key by key."""

from __future__ import annotations

from pathlib import Path

WHOLE = """\
[node]
code = "centre"
org = "11370800MB28559184"
domain = "test"
state = "state"
language = "zh"

[crypto]
libcrypto = "lib/libcrypto.so.3"
libgcrypt = "lib/libgcrypt.so.20"
fallback = false

[specifications]
folders = ["xsd"]

[keys]
sign = { key = "keys/sign.key", cert = "keys/sign.crt" }
encrypt = { key = "keys/encrypt.key", cert = "keys/encrypt.crt" }
tls = { key = "keys/tls.key", cert = "keys/tls.crt" }
old = [{ key = "keys/old.key", cert = "keys/old.crt" }]
lost = ["keys/gone.crt"]
storage = ["keys/storage.key"]
passphrase = "keys/passphrase"
ca = ["keys/ca.crt"]
crl = ["keys/ca.crl"]
crl_grace = "24h"

[api]
listen = "127.0.0.1:8700"
token = "keys/token"
body = "8MiB"
records = 10000
record = "1MiB"

[api.tls]
key = "keys/api.key"
cert = "keys/api.crt"
ca = "keys/api-ca.crt"
crl = ["keys/api-ca.crl"]
profile = "rfc8998"

[gateway]
listen = ":8443"
profile = "rfc8998"
connections = 1024

[admin]
listen = "127.0.0.1:8701"

[disk]
intake = "2GiB"
foreign = "1GiB"
reserve = "256MiB"

[retention]
answers = "30d"
done = "7d"
receipts = "3650d"
findings = "365d"

[findings]
wait = "24h"

[clock]
skew = "5m"

[timers]
poll = "25s"
hello = "60s"
idle = "15s"
overdue = "30s"
rest_first = "1s"
rest_most = "5m"
post = "2m"
drain = "25s"
lease = "2m"
purge = "10m"

[log]
level = "info"
file = "node.log"
journal = false

[[peer]]
node = "alpha"
org = "11330105002500287C"
kinds = ["records", "void"]
resources = ["population-basic"]
origins = ["*"]
suspended = false
backup_interval = "24h"

[peer.certificates]
sign = ["alpha/sign.crt"]
encrypt = "alpha/encrypt.crt"
tls = ["alpha/tls.crt"]

[peer.quota]
parcels = 4096
octets = "2GiB"

[[peer]]
node = "beta"
org = "91440300708461136T"
address = "[::1]:8443"
profile = "tls13"
collect = false

[peer.certificates]
sign = ["beta/sign.crt"]
encrypt = "beta/encrypt.crt"
tls = ["beta/tls.crt"]

[[resource]]
code = "population-basic"
specification = "population-basic/1.0"
receivers = ["alpha"]
priority = 5
parcel_records = 1024
mappings = { "旧系统" = "mappings/old.toml" }

[[resource.versions]]
specification = "population-basic/1.1"
since = 2026-01-01T00:00:00+08:00
until = 2030-01-01T00:00:00+08:00

[[grant]]
resource = "population-basic"
receiver = "beta"
purpose = "statistics"
until = 2030-12-31T23:59:59+08:00

[[adapter]]
name = "hukou"
kind = "sql_table"
settings = { url = "postgresql+psycopg://reader@10.0.0.5/hukou" }
secrets = { password = "keys/hukou.password" }
memory = "256MiB"
silence = "2m"
folder = "old"

[[adapter.read]]
resource = "population-basic"
name = "main"
mapping = "旧系统"
what = { table = "T_HUKOU", cursor = "GXSJ" }
every = "30s"
history = "backfill"
objective = "2h"
rows = 100000
time = "10m"
between = "22:00-06:00"

[adapter.read.error_limit]
records = 1000
ratio = "10%"

[[adapter.write]]
resource = "population-basic"
what = { table = "T_RK" }
"""


def write(folder: Path, text: str = WHOLE, name: str = "node.toml") -> Path:
    """Write a configuration file and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def line_of(text: str, line: str) -> int:
    """Return the number of the first line that begins so."""
    return next(number for number, found in enumerate(text.splitlines(), 1) if found.startswith(line))
