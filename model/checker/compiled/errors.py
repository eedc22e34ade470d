"""Why the compiled engine may turn a system down."""


class CannotCompile(Exception):
    """The compiled engine cannot check this system after all; the message says why. The plain engine can."""
