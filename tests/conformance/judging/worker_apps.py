"""Tasks for the workers of real libraries that the tests of the judge start; the environment says where servers are."""

import os
import time
from typing import Any

BROKER = os.environ.get("JUDGED_BROKER", "")


def sleep(seconds: float) -> float:
    """A task that takes some time."""
    time.sleep(seconds)
    return seconds


def celery_app() -> Any:
    """Celery with a lease that is shorter than its task."""
    from celery import Celery

    app = Celery("judged", broker=BROKER)
    lapse = {"visibility_timeout": 1, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}
    app.conf.broker_transport_options = lapse
    app.conf.worker_prefetch_multiplier = 1
    app.task(name="sleep", acks_late=True)(sleep)
    return app


def procrastinate_app() -> Any:
    """Procrastinate on PostgreSQL."""
    import procrastinate

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=BROKER))
    app.task(name="sleep")(sleep)
    return app


def __getattr__(name: str) -> Any:
    """The apps, made when a worker asks for them by name."""
    if name in ("celery", "procrastinate"):
        return celery_app() if name == "celery" else procrastinate_app()
    raise AttributeError(name)
