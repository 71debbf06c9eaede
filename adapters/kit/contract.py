"""The class to subclass: every check that an adapter is held to."""

from __future__ import annotations

from adapters.kit.endings import EndingChecks
from adapters.kit.increments import CaptureChecks
from adapters.kit.landing import LandingChecks
from adapters.kit.settings import SettingsChecks
from adapters.kit.texts import TextChecks
from adapters.kit.whole import WholeChecks


class AdapterContract(SettingsChecks, WholeChecks, TextChecks, EndingChecks, CaptureChecks, LandingChecks):
    """What every adapter keeps; `adapters.kit.subject` says what a subclass gives."""
