"""Dramatiq on Valkey: workers beat, and what a silent worker had fetched goes to another."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from onceproof.storm import Queue, work

queue = Queue(broker="valkey", lease=4)
# Maintenance with every command, so that a silent worker is noticed at once (default: with one in a thousand).
dramatiq.set_broker(RedisBroker(url=queue.url, heartbeat_timeout=4000, maintenance_chance=1_000_000))


@dramatiq.actor(max_retries=0)
def job(task: str, seconds: float) -> None:
    work(task, seconds)


queue.worker("dramatiq dramatiq_redis --processes 1 --threads 2")
queue.submit(lambda task, seconds: job.send(task, seconds))
