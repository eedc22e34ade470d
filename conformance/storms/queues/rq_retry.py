"""RQ on Valkey: a worker forks a child for each job, and beats for it; a job whose beat stops is retried."""

from redis import Redis
from rq import Queue as Jobs
from rq import Retry

from onceproof.storm import Queue, work

queue = Queue(broker="valkey", lease=60)
REDIS_URL = queue.url  # `rq worker -c rq_retry` reads it
jobs = Jobs(connection=Redis.from_url(queue.url))


def job(task: str, seconds: float) -> None:
    work(task, seconds)


# An idle worker does its maintenance between two looks at the queue, which are worker-ttl less 15 s apart.
queue.worker("rq worker -c rq_retry --job-monitoring-interval 1 --maintenance-interval 1 --worker-ttl 17")
queue.submit(lambda task, seconds: jobs.enqueue("rq_retry.job", task, seconds, job_id=task, retry=Retry(max=1)))
