"""Signals during a training, and around it."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

import sdpose.engine.stopping as stopping
from sdpose.engine.stopping import enter_training, leave_training, received, stoppable
from sdpose.errors import Stopped


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """SIGHUP is not ignored, even if the tests themselves are run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def given_up(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals whose grace has ended; it is short here."""
    found: list[int] = []
    monkeypatch.setattr(stopping, '_GRACE_SECONDS', 0.5)
    monkeypatch.setattr(stopping, '_give_up', found.append)
    return found


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_before_a_training_a_signal_stops_at_once(number: int) -> None:
    with pytest.raises(Stopped) as stopped, stoppable():
        os.kill(os.getpid(), number)
    assert stopped.value.code == 128 + number


def test_within_a_training_it_waits_and_a_second_one_changes_nothing(given_up: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stoppable():
        enter_training()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        assert received() == signal.SIGTERM
        leave_training()
    time.sleep(0.9)
    assert given_up == []  # what was answered in time lives on
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_step_that_hangs_ends(given_up: list[int]) -> None:
    with stoppable():
        enter_training()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.9)
    assert given_up == [signal.SIGTERM]


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
        assert received() == 0
    finally:
        signal.signal(signal.SIGHUP, before)
