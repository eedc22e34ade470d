"""Celery on Valkey. Acks late: a message is acknowledged when its function has returned; acks early: before it runs.

ACKS_LATE and VISIBILITY_TIMEOUT are set by the profiles, and by what they would change.
"""

import os

from celery import Celery

from onceproof.storm import Queue, work

queue = Queue(broker="valkey", lease=3)
app = Celery("celery_queue", broker=queue.url)
app.conf.task_acks_late = os.environ.get("ACKS_LATE", "no") == "yes"
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_transport_options = {
    "visibility_timeout": float(os.environ.get("VISIBILITY_TIMEOUT", "3")),
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "unacked_mutex_expire": 3,
}


@app.task
def job(task: str, seconds: float) -> None:
    work(task, seconds)


queue.worker("celery -A celery_queue worker --concurrency 2 --without-mingle -n {worker}@%h")
queue.submit(lambda task, seconds: job.delay(task, seconds))
