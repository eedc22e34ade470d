"""A bare pull consumer of NATS JetStream, as its documentation shows it."""

import asyncio
import json

import nats
from nats.js.api import ConsumerConfig

from onceproof.storm import Queue, work_async

queue = Queue(broker="nats", lease=3)
CONSUMER = ConsumerConfig(durable_name="workers", ack_wait=3)
client = None


async def jobs():
    """The stream and its consumer, made where they are not there yet."""
    global client
    if client is None:
        client = await nats.connect(queue.urls, max_reconnect_attempts=-1, reconnect_time_wait=0.2)
        await client.jetstream().add_stream(name="JOBS", subjects=["jobs"])
    return client.jetstream()


async def submit(task: str, seconds: float) -> bool:
    ack = await (await jobs()).publish("jobs", json.dumps([task, seconds]).encode(), headers={"Nats-Msg-Id": task})
    return not ack.duplicate


async def run(message) -> None:
    await work_async(*json.loads(message.data))
    await message.ack()


async def consume() -> None:
    subscription = await (await jobs()).pull_subscribe("jobs", "workers", config=CONSUMER)
    while True:
        try:
            for message in await subscription.fetch(1, timeout=1):
                await run(message)
        except (TimeoutError, nats.errors.Error):
            await asyncio.sleep(0.1)


queue.worker("python -m jetstream_pull")
queue.submit(submit)

if __name__ == "__main__":
    asyncio.run(consume())
