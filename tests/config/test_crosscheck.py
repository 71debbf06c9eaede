"""Keys that are each well and together wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.config import Misconfigured, load
from node.config.sentences import SAYS
from tests.config.example import WHOLE, write

API_TLS = WHOLE[WHOLE.index("[api.tls]"): WHOLE.index("[gateway]")]
GATEWAY = WHOLE[WHOLE.index("[gateway]"): WHOLE.index("[admin]")]

BROKEN = [
    # what is replaced, by what, the key at fault, the rule
    ('key = "keys/tls.key"', 'key = "keys/sign.key"', "keys.tls.key", "two_roles"),
    ('cert = "keys/encrypt.crt"', 'cert = "keys/sign.crt"', "keys.encrypt.cert", "two_roles"),
    ('storage = ["keys/storage.key"]', 'storage = ["keys/sign.key"]', "keys.storage[1]", "two_roles"),
    ('key = "keys/api.key"', 'key = "keys/tls.key"', "api.tls.key", "two_roles"),
    ('encrypt = "beta/encrypt.crt"', 'encrypt = "beta/sign.crt"', "peer[2].certificates.encrypt", "two_roles"),
    ('sign = ["beta/sign.crt"]', 'sign = ["alpha/sign.crt"]', "peer[2].certificates.sign", "two_roles"),
    ('node = "beta"', 'node = "alpha"', "peer[2].node", "twice"),
    ('node = "beta"', 'node = "centre"', "peer[2].node", "self"),
    ('receivers = ["alpha"]', 'receivers = ["alpha", "gamma"]', "resource[1].receivers[2]", "no_peer"),
    ('receivers = ["alpha"]', 'receivers = ["centre"]', "resource[1].receivers[1]", "self"),
    ('receiver = "beta"', 'receiver = "gamma"', "grant[1].receiver", "no_peer"),
    ('receiver = "beta"', 'receiver = "centre"', "grant[1].receiver", "self"),
    ('resource = "population-basic"', 'resource = "other"', "grant[1].resource", "no_resource"),
    ('specification = "population-basic/1.1"', 'specification = "region-code/1.0"',
     "resource[1].versions[1].specification", "other_interface"),
    ("until = 2030-01-01T00:00:00+08:00", "until = 2025-01-01T00:00:00+08:00", "resource[1].versions[1].until",
     "ends_first"),
    ("[[resource.versions]]\n",
     '[[resource.versions]]\nspecification = "population-basic/1.1"\n[[resource.versions]]\n',
     "resource[1].versions[2].specification", "twice"),
    ('resources = ["population-basic"]', 'resources = ["other"]', "peer[1].resources[1]", "no_resource"),
    ('listen = "127.0.0.1:8701"', 'listen = "[::]:8701"', "admin.listen", "public_admin"),
    ('listen = "127.0.0.1:8701"', 'listen = "127.0.0.1:8700"', "admin.listen", "same_port"),
    ('listen = ":8443"', 'listen = ":8700"', "gateway.listen", "same_port"),
    (API_TLS, "", None, None),
    (GATEWAY, "", "peer[1]", "unreachable"),
    ('backup_interval = "24h"', "collect = true", "peer[1].collect", "collect_address"),
    ('intake = "2GiB"', 'intake = "512MiB"', "disk.intake", "disk_order"),
    ('reserve = "256MiB"', 'reserve = "5%"', "disk.foreign", "disk_order"),
    ('rest_first = "1s"', 'rest_first = "6m"', "timers.rest_first", "wait_order"),
    ('record = "1MiB"', 'record = "9MiB"', "api.record", "record_size"),
    ('body = "8MiB"', 'body = "65MiB"', "api.body", "body_size"),
    ('answers = "30d"', 'answers = "29d"', "retention.answers", "too_brief"),
    ('backup_interval = "24h"', 'backup_interval = "8d"', "retention.done", "too_brief"),
    ('receipts = "3650d"', 'receipts = "6d"', "retention.receipts", "too_brief"),
    ('purpose = "statistics"', 'purpose = "statistics"\nfields = ["Name"]', "grant[1].fields", "whole_records"),
    ('purpose = "statistics"', 'purpose = "statistics"\nrows = "all"', "grant[1].rows", "whole_records"),
    ('mapping = "旧系统"\nwhat', 'mapping = "新系统"\nwhat', "adapter[1].read[1].mapping", "no_mapping"),
    ('resource = "population-basic"\nname', 'resource = "other"\nname', "adapter[1].read[1].resource", "no_resource"),
    ('receivers = ["alpha"]', 'receivers = []', "adapter[1].read[1].resource", "no_receiver"),
    ('resource = "population-basic"\nwhat', 'resource = "other"\nwhat', "adapter[1].write[1].resource", "no_resource"),
    ("[[adapter.write]]", '[[adapter.write]]\nresource = "population-basic"\n[[adapter.write]]',
     "adapter[1].write[2].resource", "twice"),
    ("[[adapter.write]]", '[[adapter.read]]\nresource = "population-basic"\nname = "main"\n[[adapter.write]]',
     "adapter[1].read[2].name", "twice"),
    ('//reader@', '//reader:hunter2@', "adapter[1].settings.url", "inline"),
    ('password = "keys/hukou.password"', 'url = "keys/hukou.password"', "adapter[1].secrets", "twice"),
    ('passphrase = "keys/passphrase"', 'passphrase = "correct-horse"', "keys.passphrase", "inline"),
    ('passphrase = "keys/passphrase"', 'passphrase = "credential:p"', "keys.passphrase", "credential"),
    ('until = 2030-12-31T23:59:59+08:00', 'until = 2030-12-31T23:59:59', "grant[1].until", "timezone_aware"),
    ('address = "[::1]:8443"', 'address = ":8443"', "peer[2].address", "address"),
    ('address = "[::1]:8443"', 'address = "::1:8443"', "peer[2].address", "address"),
    ('address = "[::1]:8443"', 'address = "beta:70000"', "peer[2].address", "address"),
    ("records = 10000", "records = 10001", "api.records", "less_than_equal"),
    ("records = 10000", "records = true", "api.records", "int_type"),
    ("parcel_records = 1024", "parcel_records = 0", "resource[1].parcel_records", "greater_than_equal"),
    ("parcel_records = 1024", "parcel_records = 1025", "resource[1].parcel_records", "less_than_equal"),
    ("priority = 5", "priority = 10", "resource[1].priority", "less_than_equal"),
    ('poll = "25s"', 'poll = "25"', "timers.poll", "duration"),
    ('poll = "25s"', 'poll = "0s"', "timers.poll", "wait"),
    ('crl_grace = "24h"', 'crl_grace = "1.5h"', "keys.crl_grace", "duration"),
    ('storage = ["keys/storage.key"]', "storage = []", "keys.storage", "too_short"),
    ('kinds = ["records", "void"]', 'kinds = ["records", "letters"]', "peer[1].kinds[2]", "literal_error"),
]


@pytest.mark.parametrize(("old", "new", "key", "rule"), BROKEN, ids=[f"{row[3]}-{row[2]}" for row in BROKEN])
def test_keys_that_do_not_agree_are_named(
    old: str, new: str, key: str | None, rule: str | None, tmp_path: Path
) -> None:
    assert old in WHOLE
    path = write(tmp_path, WHOLE.replace(old, new, 1))
    if key is None:
        load(path, {})
        return
    with pytest.raises(Misconfigured) as raised:
        load(path, {})
    # A peer that lost its name is also missed by the grant that names it; nothing else may be found.
    found = [fault for fault in raised.value.faults if not (old == 'node = "beta"' and fault.rule == "no_peer")]
    assert [(fault.key, fault.rule) for fault in found] == [(key, rule)]
    assert found[0].rule in SAYS and found[0].line is not None
    assert "correct-horse" not in raised.value.text("en")


@pytest.mark.parametrize("listen", ["0.0.0.0:8700", ":8700", "[2001:db8::1]:8700", "node.example:8700"])
def test_a_local_api_open_to_others_needs_mutual_tls(listen: str, tmp_path: Path) -> None:
    text = WHOLE.replace("127.0.0.1:8700", listen)
    load(write(tmp_path, text), {})
    with pytest.raises(Misconfigured) as raised:
        load(write(tmp_path, text.replace(API_TLS, "")), {})
    assert [(fault.key, fault.rule) for fault in raised.value.faults] == [("api.listen", "public_api")]


@pytest.mark.parametrize("listen", ["127.0.0.1:8700", "[::1]:8700", "localhost:8700", "127.8.8.8:8700"])
def test_one_on_this_machine_needs_none(listen: str, tmp_path: Path) -> None:
    assert load(write(tmp_path, WHOLE.replace("127.0.0.1:8700", listen).replace(API_TLS, "")), {}).api.tls is None


def test_every_rule_has_two_sentences_and_two_hints() -> None:
    for rule, pair in SAYS.items():
        for sentence in pair:
            assert sentence.zh and sentence.en and sentence.zh != sentence.en, rule
