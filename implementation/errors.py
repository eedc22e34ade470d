"""What can go wrong inside the reference system, as types that a caller can tell apart."""


class NotEnabled(Exception):
    """The action is not possible now; nothing was changed. The text says which condition was not met."""


class AlreadyRecorded(NotEnabled):
    """The task store has this TaskID already, so a second submission is refused (mechanism task_id_dedup)."""


class NotNow(AlreadyRecorded):
    """A replay does not permit this action now. (An admission that is not permitted proposes a refusal next.)"""


class StoreUnavailable(Exception):
    """The database did not take a statement (locked, full, read-only, gone); the transaction was rolled back."""


class TakenOver(StoreUnavailable):
    """Another platform holds the database, which this one had."""


def require(condition: object, reason: str) -> None:
    """Raise NotEnabled with the reason unless the condition is true."""
    if not condition:
        raise NotEnabled(reason)
