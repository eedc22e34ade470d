"""Huey on Valkey: a task is taken off the queue before it runs."""

from huey import RedisHuey

from onceproof.storm import Queue, work

queue = Queue(broker="valkey", lease=0)
huey = RedisHuey("storm", url=queue.url)


@huey.task(retries=3)
def job(task: str, seconds: float) -> None:
    work(task, seconds)


queue.worker("huey_consumer huey_redis.huey --workers 2")
queue.submit(lambda task, seconds: job(task, seconds))
