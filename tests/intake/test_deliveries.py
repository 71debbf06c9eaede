"""GET /v1/resources/{resource}/deliveries: what was received, in commit order, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.intake.deliveries import PAGE, Page, read_cursor
from node.model.ids import uuid7
from node.model.parcel import Lane
from node.model.record import Stream
from node.model.spool import Arriving, Block, Claim, Delivery
from node.model.trouble import Refused
from node.validate import split_line
from tests.intake.api import DELIVERIES, Api, twin
from tests.stage.desk import CENTRE, DOMAIN
from tests.stage.forging import line_of, spec_id


@pytest.fixture(params=["memory", "sqlite"])
def received(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    api = Api.at(None if request.param == "memory" else tmp_path)
    yield api
    api.close()


def deliver(api: Api, *sizes: int, start: int = 0, resource: str = "population") -> list[str]:
    """Let parcels of so many records arrive in the warehouse; return their row ids in order."""
    rows: list[str] = []
    for parcel, size in enumerate(sizes):
        lane = Lane(DOMAIN, CENTRE, "dept-a", resource, Stream.LIVE)
        lines = [
            line_of(twin(start + len(rows) + n), api.staged.desk.now(), "dept-b", start + len(rows) + n + 1)
            for n in range(size)
        ]
        heads = [split_line(line)[1] for line in lines]
        records = [Arriving(leaf, head, (head.row,), line) for leaf, (head, line) in enumerate(zip(heads, lines))]
        claim = Claim(lane, start + parcel + 1)
        id = uuid7(api.staged.desk.now() + start + parcel, bytes(10))
        with api.staged.stores.warehouse.unit() as unit:
            unit.apply(Delivery(claim, id, lane, spec_id(), "", records, b"[]"), api.staged.desk.now())
        rows += [head.row for head in heads]
    return rows


def rows_of(page: dict[str, Any]) -> list[str]:
    return [record["head"]["row"] for record in page["records"]]


def walk(api: Api, limit: int) -> tuple[list[str], list[int]]:
    """Return the rows of all pages by following the links, and the size of each page."""
    rows: list[str] = []
    sizes = []
    path = f"{DELIVERIES}?limit={limit}"
    while True:
        heard = api.get(path)
        assert heard.status == 200, heard.json
        rows += rows_of(heard.json)
        sizes.append(len(heard.json["records"]))
        link = re.fullmatch(r'<([^>]+)>; rel="next"', heard.headers.get("link", ""))
        if link is None:
            return rows, sizes
        path = link[1]


def test_before_anything_was_received_there_is_an_empty_page(received: Api) -> None:
    heard = received.get(DELIVERIES)
    assert heard.json == {"records": [], "cursor": "0.0"} and "link" not in heard.headers


def test_a_record_is_told_as_it_travelled_with_its_parcel_and_sender(received: Api) -> None:
    deliver(received, 2)
    record = received.get(DELIVERIES).json["records"][1]
    assert record["sender"] == CENTRE and record["leaf"] == 1 and record["body"] == twin(1)
    assert record["head"]["origin"] == "dept-b" and record["head"]["row"] == twin(1)["RecordId"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_all_pages_together_are_the_history_in_commit_order(received: Api, limit: int) -> None:
    expected = deliver(received, 1, 5, 2, 1, 1, 4)
    rows, sizes = walk(received, limit)
    assert rows == expected and all(size == limit for size in sizes[:-1]) and 0 < sizes[-1] <= limit


def test_a_cursor_asked_twice_gives_the_same_and_goes_on_with_what_came_since(received: Api) -> None:
    first = deliver(received, 3)
    page = received.get(f"{DELIVERIES}?limit=2").json
    assert rows_of(page) == first[:2]
    later = deliver(received, 2, start=10)
    for _ in range(2):
        rest = received.get(f"{DELIVERIES}?limit=2&cursor={page['cursor']}").json
        assert rows_of(rest) == [first[2], later[0]]
    last = received.get(f"{DELIVERIES}?cursor={rest['cursor']}").json
    assert rows_of(last) == later[1:]
    end = received.get(f"{DELIVERIES}?cursor={last['cursor']}")
    assert end.json == {"records": [], "cursor": last["cursor"]} and "link" not in end.headers
    newest = deliver(received, 1, start=20)
    assert rows_of(received.get(f"{DELIVERIES}?cursor={last['cursor']}").json) == newest


def test_a_cursor_outlives_a_crash(tmp_path: Path) -> None:
    api = Api.at(tmp_path)
    rows = deliver(api, 2, 2)
    page = api.get(f"{DELIVERIES}?limit=3").json
    after = api.crash()
    assert rows_of(after.get(f"{DELIVERIES}?cursor={page['cursor']}").json) == rows[3:]
    after.close()


def test_a_resource_sees_its_own_deliveries_alone(received: Api) -> None:
    mine = deliver(received, 1)
    deliver(received, 2, start=5, resource="legal-entity")
    also = deliver(received, 1, start=9)
    assert walk(received, 10)[0] == mine + also


def test_many_small_parcels_are_fetched_with_few_questions(received: Api) -> None:
    expected = deliver(received, *[1] * 120)
    asked: list[tuple[int, int]] = []
    warehouse = received.staged.desk.warehouse
    real = warehouse.run

    def counted(function: Any) -> Any:
        asked.append((0, 0))
        return real(function)

    warehouse.run = counted  # type: ignore[method-assign]  # counts the questions
    assert rows_of(received.get(f"{DELIVERIES}?limit=100").json) == expected[:100]
    assert len(asked) <= 5


@pytest.mark.parametrize("query", [
    "limit=0", "limit=1001", "limit=-1", "limit=1e2", "limit=", "limit=%D9%A3", "limit=1&limit=2", "limit=00001",
    "cursor=x", "cursor=1", "cursor=1.", "cursor=-1.0", "cursor=1.2.3", "cursor=%D9%A1.0", "cursor=1.0%0A",
    "cursor=1234567890123456.0", "cursor=1.12345678",
])
def test_a_wrong_limit_or_cursor_is_400(api: Api, query: str) -> None:
    heard = api.get(f"{DELIVERIES}?{query}")
    assert (heard.status, heard.code) == (400, "EXN-API-REQUEST")


def test_a_cursor_beyond_everything_is_an_empty_page(received: Api) -> None:
    deliver(received, 2)
    for cursor in ("999999999999999.9999999", "1.9999999"):
        heard = received.get(f"{DELIVERIES}?cursor={cursor}")
        assert heard.status == 200 and heard.json == {"records": [], "cursor": cursor}


def test_an_unknown_resource_is_404(api: Api) -> None:
    assert api.get("/v1/resources/unknown/deliveries").code == "EXN-API-RESOURCE"


# --- the page alone -------------------------------------------------------------------------------------------------


def block(id: int, lines: Sequence[bytes]) -> Block:
    return Block(id, "r", uuid7(id, bytes(10)), "centre", Stream.LIVE, spec_id(), 0, range(len(lines)), lines, b"")


@given(st.lists(st.integers(1, 6), max_size=12), st.integers(1, 8), st.data())
def test_pages_of_any_size_from_any_place_lose_and_repeat_nothing(
    sizes: list[int], limit: int, data: st.DataObject
) -> None:
    ids = [2 * n + data.draw(st.integers(1, 2)) for n in range(len(sizes))]
    blocks = [block(id, [b'{"at":"%d.%d"}' % (id, n) for n in range(size)]) for id, size in zip(ids, sizes)]
    told, cursor, more = [], (0, 0), True
    while more:
        page = Page(*cursor, limit)
        while page.wants:
            after, most = page.asks
            page.take([one for one in blocks if one.id > after][:most])
        told += re.findall(rb'"at":"([0-9.]+)"', page.body())
        cursor, more = read_cursor(page.cursor), page.more
    assert told == [b"%d.%d" % (id, n) for id, size in zip(ids, sizes) for n in range(size)]


def test_a_page_ends_early_when_it_grows_large_but_never_without_a_record() -> None:
    line = b'{"x":"' + b"y" * (PAGE // 3) + b'"}'
    blocks = [block(id, [line, line]) for id in range(1, 6)]
    page = Page(0, 0, 1000)
    asked = []
    while page.wants:
        after, most = page.asks
        asked.append(most)
        page.take([one for one in blocks if one.id > after][:most])
    assert page.more and page.cursor == "2.1" and max(asked) == 2
    whole = Page(0, 0, 1000)
    whole.take([block(1, [b'{"x":"' + b"y" * (2 * PAGE) + b'"}', line])])
    assert whole.more and whole.cursor == "1.1"


def test_a_cursor_is_read_strictly() -> None:
    assert read_cursor("") == (0, 0) and read_cursor("12.3") == (12, 3)
    with pytest.raises(Refused):
        read_cursor("１.0")
