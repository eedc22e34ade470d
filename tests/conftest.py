"""What all tests share."""

import signal

import pytest

from onceproof.main import run
from tests.helpers.fixture_types import Command, Ran


def pytest_configure() -> None:
    """Ctrl-C means what it means for a user, even where whoever started the tests had it ignored (``nohup ... &``)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def onceproof(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in this process: ``onceproof("check", path)``."""

    def command(*arguments: object) -> Ran:
        capfd.readouterr()
        status = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ran(int(status), captured.out, captured.err)

    return command
