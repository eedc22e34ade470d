"""What all tests share."""

import signal


def pytest_configure() -> None:
    """Ctrl-C means what it means for a user, even where whoever started the tests had it ignored (``nohup ... &``)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
