"""What a storm file declares: its queue, its workers, how to submit, and a task whose body is ``work``.

It runs in the user's own environment, with any Python from 3.9 on, and needs nothing but the standard library.
"""

from onceproof.storm.ledger import work, work_async
from onceproof.storm.queue import Queue, Refused

__all__ = ["Queue", "Refused", "work", "work_async"]
