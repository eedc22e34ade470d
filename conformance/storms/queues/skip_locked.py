"""A table of jobs in PostgreSQL: a worker takes one with SKIP LOCKED, and it is its own for three seconds."""

import time

import psycopg

from onceproof.storm import Queue, work

queue = Queue(broker="postgresql", lease=3)
TABLE = """CREATE TABLE IF NOT EXISTS jobs (id text PRIMARY KEY, seconds float NOT NULL, done boolean DEFAULT false,
    taken_until timestamptz NOT NULL DEFAULT now())"""
TAKE = """UPDATE jobs SET taken_until = now() + interval '3 seconds' WHERE id = (
    SELECT id FROM jobs WHERE NOT done AND taken_until <= now() ORDER BY taken_until LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING id, seconds"""


def submit(task, seconds):
    with psycopg.connect(queue.url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1)")  # two that create the table at once would collide
        connection.execute(TABLE)
        insert = "INSERT INTO jobs (id, seconds) VALUES (%s, %s) ON CONFLICT DO NOTHING"
        return connection.execute(insert, (task, seconds)).rowcount == 1


def consume():
    while True:
        try:
            with psycopg.connect(queue.url, autocommit=True) as connection:
                while True:
                    job = connection.execute(TAKE).fetchone()
                    if job is None:
                        time.sleep(0.1)
                        continue
                    work(*job)
                    connection.execute("UPDATE jobs SET done = true WHERE id = %s", (job[0],))
        except psycopg.Error:
            time.sleep(0.3)


queue.worker("python -m skip_locked")
queue.submit(submit)

if __name__ == "__main__":
    consume()
