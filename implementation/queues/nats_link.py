"""A connection to NATS for code that does not run in an event loop: a thread of its own runs one."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig
from nats.js.client import JetStreamContext

from onceproof.implementation.errors import StoreUnavailable

CALL_SECONDS = 10.0
CONNECT_SECONDS = 3.0
RETRY_SECONDS = 0.2
SLACK_SECONDS = 2.0
T = TypeVar("T")
Arrived = Callable[[Msg | None], None]


class NatsLink:
    """Connects at the first use, and again whenever the connection breaks. url: nats://host:port[,nats://...]."""

    def __init__(self, url: str) -> None:
        self.servers = [server.strip() for server in url.split(",")]
        self._loop = asyncio.new_event_loop()
        self._client: Client | None = None
        self._jetstream: JetStreamContext | None = None
        self._connecting = asyncio.Lock()
        self._consumers: set[str] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="nats")
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._client is not None and self._client.is_connected

    def call(self, ask: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        """Ask JetStream something and wait for the answer; StoreUnavailable if there is none."""

        async def asked() -> T:
            return await ask(await self._connected())

        return self._wait(asked())

    def publish_all(self, items: list[tuple[str, bytes, str]]) -> None:
        """Publish (subject, payload, message id) and wait until all are acknowledged."""
        if not items:
            return

        async def published() -> None:
            jetstream = await self._connected()
            await asyncio.gather(
                *(
                    jetstream.publish(subject, payload, timeout=CALL_SECONDS - 1, headers={"Nats-Msg-Id": message_id})
                    for subject, payload, message_id in items
                )
            )

        self._wait(published())

    def pull(self, stream: str, config: ConsumerConfig, batch: int, seconds: float, arrived: Arrived) -> None:
        """Ask for messages; returns at once. arrived gets each that comes, and None when the wait is over."""
        self.post(self._pull(stream, config, batch, seconds, arrived))

    def pending(self, stream: str, durable: str) -> int:
        """How many messages a consumer has before it or in hand."""

        async def asked(jetstream: JetStreamContext) -> int:
            try:
                info = await jetstream.consumer_info(stream, durable)
            except nats.js.errors.NotFoundError:
                return 0
            return (info.num_pending or 0) + (info.num_ack_pending or 0)

        return self.call(asked)

    def post(self, doing: Coroutine[Any, Any, Any]) -> None:
        """Do something without waiting; if it fails, it is as if it was lost on the way."""

        async def done() -> None:
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
                await doing

        asyncio.run_coroutine_threadsafe(done(), self._loop)

    def close(self) -> None:
        """Close the connection and end the thread."""

        async def closed() -> None:
            if self._client is not None:
                await self._client.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        with contextlib.suppress(StoreUnavailable):
            self._wait(closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def _wait(self, doing: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(doing, self._loop)
        try:
            return future.result(CALL_SECONDS)
        except (nats.errors.Error, OSError, TimeoutError, FutureTimeout) as error:
            future.cancel()
            why = " ".join(str(error).split()) or "no answer in time"
            raise StoreUnavailable(f"the queue at {', '.join(self.servers)}: {why}") from None

    async def _connected(self) -> JetStreamContext:
        async with self._connecting:
            if self._client is None or self._client.is_closed or self._jetstream is None:
                connecting = nats.connect(
                    self.servers,
                    connect_timeout=2,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.2,
                    allow_reconnect=True,
                    error_cb=_quiet,
                )
                self._client = await asyncio.wait_for(connecting, CONNECT_SECONDS)
                self._jetstream = self._client.jetstream(timeout=CALL_SECONDS - 1)
                self._consumers.clear()
        return self._jetstream

    async def _pull(self, stream: str, config: ConsumerConfig, batch: int, seconds: float, arrived: Arrived) -> None:
        """One pull request on an inbox of its own; its end is reported whatever happens."""
        try:
            jetstream = await self._connected()
            client = self._client
            durable = config.durable_name or ""
            if client is None:
                return
            if durable not in self._consumers:
                await jetstream.add_consumer(stream, config)
                self._consumers.add(durable)
            inbox = client.new_inbox()
            subscription = await client.subscribe(inbox)
            request = json.dumps({"batch": batch, "expires": int(seconds * 1e9)}).encode()
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", request, reply=inbox)
            try:
                for _ in range(batch):
                    message = await subscription.next_msg(timeout=seconds + SLACK_SECONDS)
                    if message.headers and message.headers.get("Status"):
                        break
                    arrived(message)
            finally:
                await subscription.unsubscribe()
        except (nats.errors.Error, OSError, TimeoutError):
            self._consumers.clear()
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            arrived(None)


async def _quiet(_: Exception) -> None:
    """Broken connections show where something is asked for; they need no second word."""
