"""The frame: read in any pieces, bounded before anything is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.envelope import MANIFEST_LIMIT, PAYLOAD_LIMIT, FrameReader, frame, unframe
from node.model.trouble import Refused


@given(st.binary(max_size=200), st.binary(max_size=400), st.lists(st.integers(1, 60), max_size=40))
def test_a_frame_reads_back_whatever_the_pieces(manifest: bytes, payload: bytes, cuts: list[int]) -> None:
    data = frame(manifest, payload)
    assert unframe(data) == (manifest, payload)
    reader, taken = FrameReader(), b""
    for cut in [*cuts, len(data)]:
        reader.feed(data[:cut])
        data = data[cut:]
        taken += reader.take()
    reader.finish()
    assert (reader.manifest, taken, reader.size) == (manifest, payload, len(payload))


def test_the_manifest_is_there_before_the_payload() -> None:
    data = frame(b"manifest", b"payload")
    reader = FrameReader()
    reader.feed(data[: 5 + 4 + 8])
    assert reader.manifest == b"manifest" and reader.size is None and reader.take() == b""


@pytest.mark.parametrize("end", range(len(frame(b"man", b"pay"))))
def test_a_frame_that_ends_early_is_refused(end: int) -> None:
    with pytest.raises(Refused) as refusal:
        unframe(frame(b"man", b"pay")[:end])
    assert refusal.value.code.name == "EXN-FRAME"


@pytest.mark.parametrize(
    "data", [frame(b"m", b"p") + b"x", b"EXNP\x02" + bytes(12), b"EXNQ", b"PK", frame(b"", b"") * 2]
)
def test_another_frame_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        unframe(data)
    assert refusal.value.code.name == "EXN-FRAME"


def test_lengths_are_bounded_before_anything_arrives() -> None:
    for data in (
        b"EXNP\x01" + (MANIFEST_LIMIT + 1).to_bytes(4, "big"),
        b"EXNP\x01" + bytes(4) + (PAYLOAD_LIMIT + 1).to_bytes(8, "big"),
    ):
        with pytest.raises(Refused) as refusal:
            FrameReader().feed(data)
        assert refusal.value.code.name == "EXN-TOO-LARGE"
    with pytest.raises(Refused):
        frame(bytes(MANIFEST_LIMIT + 1), b"")
    with pytest.raises(Refused):
        frame(b"", bytes(PAYLOAD_LIMIT + 1))
