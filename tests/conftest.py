"""What every test stands on: bounded Hypothesis, printed seeds, servers that must be there, no silent failure."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import provider

from tests.house.scan import left_in_clear

IN_CI = bool(os.environ.get("CI"))
DEBIAN = Path(__file__).parent / "debian.txt"

# A failing property prints the blob that reproduces it; no deadline, because two cores are shared with other work.
settings.register_profile("house", print_blob=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("house"), max_examples=200, derandomize=True)
settings.load_profile("ci" if IN_CI else "house")


@pytest.fixture(scope="session")
def server() -> Callable[[str, str], str]:
    """Return `find(package, binary)`: the path of a binary of a Debian package named in tests/debian.txt.

    Where it is missing the test is skipped by name, but in CI it fails: a proof that did not run is no proof.
    """

    def find(package: str, binary: str) -> str:
        named = re.findall(r"^([a-z0-9][a-z0-9.+-]*)", DEBIAN.read_text(encoding="utf-8"), re.MULTILINE)
        assert package in named, f"name the package {package} in tests/debian.txt, so that CI installs it"
        path = shutil.which(binary)
        if path is not None:
            return path
        why = f"{binary} is missing (Debian package {package})"
        if IN_CI:
            pytest.fail(why)
        pytest.skip(why)

    return find


@pytest.fixture(scope="session", autouse=True)
def nothing_in_clear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail the session if anything the tests wrote holds an identity number elsewhere than in a client's payload."""
    yield
    found = sorted({str(one.path) for one in left_in_clear(tmp_path_factory.getbasetemp())})
    assert not found, f"an identity number of a person was left on the disk: {found}"


@pytest.fixture
def seed() -> int:
    """Return this run's seed, printed when the test fails; EXNODE_SEED repeats a run."""
    value = int(os.environ.get("EXNODE_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"EXNODE_SEED={value}")
    return value


@pytest.fixture(autouse=True)
def failures() -> Iterator[list[LogEvent]]:
    """Fail a test in whose course Twisted logged a failure nobody took; one that provokes it clears this list."""
    seen: list[LogEvent] = []

    @provider(ILogObserver)
    def watch(event: LogEvent) -> None:
        if event.get("log_failure") is not None:
            seen.append(event)

    globalLogPublisher.addObserver(watch)
    yield seen
    globalLogPublisher.removeObserver(watch)
    if seen:
        pytest.fail("Twisted logged a failure nobody took:\n" + "\n".join(
            event["log_failure"].getTraceback() for event in seen), pytrace=False)
