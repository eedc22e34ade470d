"""Workers whose queue gives a message away only when another one arrives: which need never happen."""

from onceproof.model.language import Fairness, action
from onceproof.model.protocol import queue
from onceproof.model.protocol.workers import worker_model

lapse = action(fairness=Fairness.NONE)(queue.lapse.function)

MODEL = worker_model("workers-that-wait-for-traffic", lapse=lapse)
# What becomes of a task when there is other traffic is the business of the protocol itself.
del MODEL.properties["completes_for_real"]
