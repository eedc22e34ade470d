"""arq on Valkey: a job that runs has a key that hides it until job_timeout and ten seconds have passed."""

from typing import Any

from arq import create_pool
from arq.connections import ArqRedis, RedisSettings

from onceproof.storm import Queue, work_async

queue = Queue(broker="valkey", lease=13)
pool: "ArqRedis | None" = None


async def job(ctx: Any, task: str, seconds: float) -> None:
    await work_async(task, seconds)


class WorkerSettings:
    functions = [job]
    redis_settings = RedisSettings.from_dsn(queue.url)
    job_timeout = 3
    poll_delay = 0.2


async def submit(task: str, seconds: float) -> bool:
    global pool
    pool = pool or await create_pool(WorkerSettings.redis_settings)
    return await pool.enqueue_job("job", task, seconds, _job_id=task) is not None


queue.worker("arq arq_queue.WorkerSettings")
queue.submit(submit)
