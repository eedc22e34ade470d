"""taskiq on Valkey, with the stream broker: a message that stays unacknowledged is claimed by another worker."""

from taskiq_redis import RedisStreamBroker

from onceproof.storm import Queue, work_async

queue = Queue(broker="valkey", lease=3)
broker = RedisStreamBroker(url=queue.url, idle_timeout=3000)
started = False


@broker.task
async def job(task: str, seconds: float) -> None:
    await work_async(task, seconds)


async def submit(task: str, seconds: float) -> None:
    global started
    if not started:
        await broker.startup()
        started = True
    await job.kiq(task, seconds)


queue.worker("taskiq worker taskiq_stream:broker --workers 1")
queue.submit(submit)
