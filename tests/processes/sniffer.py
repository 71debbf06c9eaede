"""What passes over the loopback interface, as one outside the nodes sees it: packets, put together to TCP streams.

Needs a packet socket (root, or CAP_NET_RAW); `open_sniffer` says None where there is none.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

ETH_IP, ALL = 0x0800, 0x0003
HOST = 0
"""Of PACKET_HOST: loopback shows each packet going out and coming in, and once is enough."""
SO_ATTACH_FILTER, SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS = 26, 33, 263, 6
FRAME = 1 << 17
SYN = 0x02

End = tuple[str, int]


@dataclass
class Stream:
    """One direction of one connection; `octets` from its first, and whether any are missing."""

    origin: End
    goal: End
    first: int | None = None
    pieces: dict[int, bytes] = field(default_factory=dict)

    @property
    def octets(self) -> bytes:
        """All that was sent, in order; ends before a gap."""
        return self._joined()[0]

    @property
    def whole(self) -> bool:
        """Whether the beginning was seen and nothing is missing."""
        return self.first is not None and self._joined()[1]

    def _joined(self) -> tuple[bytes, bool]:
        found, at = bytearray(), 0
        base = self.first or 0
        for place, piece in sorted(((seq - base) & 0xFFFFFFFF, piece) for seq, piece in self.pieces.items()):
            if place > at:
                return bytes(found), False
            if place + len(piece) > at:
                found += piece[at - place :]
                at = place + len(piece)
        return bytes(found), True


class Sniffer:
    """Keeps what goes to or comes from these ports of 127.0.0.1 until it is closed."""

    def __init__(self, line: socket.socket, ports: Collection[int]) -> None:
        self._line, self._ports = line, set(ports)
        self._streams: dict[tuple[End, End], Stream] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def streams(self, port: int) -> list[Stream]:
        """Return both directions of every connection of a port."""
        with self._lock:
            return [one for ends, one in self._streams.items() if port in (ends[0][1], ends[1][1])]

    @property
    def dropped(self) -> int:
        """How many packets the kernel had no room for since this was last asked."""
        told = self._line.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return int(struct.unpack("II", told)[1])

    def close(self) -> None:
        """Stop listening."""
        self._line.close()
        self._thread.join(5)

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                try:
                    frame, address = self._line.recvfrom(FRAME)
                except TimeoutError:
                    if self._line.fileno() < 0:
                        return
                    continue
                if address[2] == HOST:
                    self._take(frame[14:])

    def _take(self, packet: bytes) -> None:
        length = (packet[0] & 0x0F) * 4
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
            return
        whole = int.from_bytes(packet[2:4], "big") or len(packet)  # 0 where the kernel handed over a large segment
        head = packet[length:whole]
        origin_port, goal_port, seq = struct.unpack_from("!HHI", head)
        if not self._ports & {origin_port, goal_port}:
            return
        ends = ((socket.inet_ntoa(packet[12:16]), origin_port), (socket.inet_ntoa(packet[16:20]), goal_port))
        body = head[(head[12] >> 4) * 4 :]
        with self._lock:
            stream = self._streams.setdefault(ends, Stream(*ends))
            if head[13] & SYN:
                stream.first = (seq + 1) & 0xFFFFFFFF
            elif body and len(body) > len(stream.pieces.get(seq, b"")):
                stream.pieces[seq] = body


def open_sniffer(ports: Collection[int]) -> Sniffer | None:
    """Return a sniffer of these ports, None where this account may not open a packet socket."""
    try:
        line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    except OSError:
        return None
    line.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    kept = _filter(ports)
    line.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, kept[0])
    line.bind(("lo", 0))
    line.settimeout(0.2)
    return Sniffer(line, ports)


def _filter(ports: Collection[int]) -> tuple[bytes, object]:
    """Return a classic BPF program that lets TCP of these ports pass: others test on this machine too."""
    half, byte, equal, give = 0x28, 0x30, 0x15, 0x06
    tests = [(half, place, port) for place in (34, 36) for port in ports]
    code: list[tuple[int, int, int, int]] = [
        (half, 0, 0, 12), (equal, 0, 2 * len(tests) + 2, ETH_IP),
        (byte, 0, 0, 23), (equal, 0, 2 * len(tests), socket.IPPROTO_TCP),
    ]
    for number, (load, place, port) in enumerate(tests):
        left = 2 * (len(tests) - number - 1)
        code += [(load, 0, 0, place), (equal, left + 1, 0, port)]
    code += [(give, 0, 0, 0), (give, 0, 0, FRAME)]
    program = b"".join(struct.pack("HBBI", *step) for step in code)
    held = ctypes.create_string_buffer(program)
    return struct.pack("HL", len(code), ctypes.addressof(held)), held


def by_direction(streams: list[Stream], port: int) -> Mapping[str, list[Stream]]:
    """Return streams towards a port and from it."""
    return {
        "to": [one for one in streams if one.goal[1] == port],
        "from": [one for one in streams if one.origin[1] == port],
    }
