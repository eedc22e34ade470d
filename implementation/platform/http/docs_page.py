"""The page /docs: Swagger UI, whose scripts and styles come from an installed package, never from another server."""

from typing import Any

from fastapi import FastAPI

from onceproof.implementation.platform.http.problems import Problem


def app_with_docs(**given: Any) -> FastAPI:
    """An application with the page. Where the package with its assets is missing, the page says so, and all else works.

    given: what FastAPI takes, except its own pages.
    """
    try:
        from fastapi_offline import FastAPIOffline
    except ImportError:
        return _without_assets(**given)
    return FastAPIOffline(docs_url="/docs", redoc_url=None, **given)


def _without_assets(**given: Any) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, **given)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> None:
        raise Problem(501, "NotImplemented", "this page needs the package `fastapi-offline`, which is not installed")

    return app
