"""The table of routes in docs/ref/api.md, made from the application's own routes.

`python -m privet.api.route_table PAGE` writes the page with its table made anew to standard output.

Belongs here: one row a route, in the order in which they are tried. Does not belong here: what OpenAPI says of answers (openapi).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from privet.api.auth.permission import Requires
from privet.core.errors import UserError

BEGIN = "<!-- routes: written by `make generate` -->"
END = "<!-- end of routes -->"


def page(text: str, routes: Iterable[BaseRoute]) -> str:
    """Put the table between the markers of a page.

    Raises:
        UserError: the page lacks a marker.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(f"the page has no table of routes: put the lines {BEGIN!r} and {END!r} where it belongs")
    return "".join((before, BEGIN, "\n\n", table(routes), "\n", END, after))


def table(routes: Iterable[BaseRoute]) -> str:
    """A Markdown table with a row for each route."""
    rows = ["| route | permission | what |", "|---|---|---|"]
    for route in _flat(routes):
        words = (route.endpoint.__doc__ or "").strip().splitlines()[0].rstrip(".").replace("|", r"\|")
        rows.extend(f"| {address} | {_permission(route.dependant)} | {words} |" for address in _addresses(route))
    return "\n".join(rows) + "\n"


def _flat(routes: Iterable[BaseRoute]) -> Iterator[APIRoute | APIWebSocketRoute]:
    """The routes, those of included routers too."""
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner:
            yield from _flat(inner)
        elif isinstance(route, APIRoute | APIWebSocketRoute):
            yield route


def _addresses(route: APIRoute | APIWebSocketRoute) -> Iterator[str]:
    if "{path:path}" in route.path:
        yield "everything else"
        return
    query = "&".join(_query(route.dependant))
    methods = ["WS"] if isinstance(route, APIWebSocketRoute) else sorted(route.methods or ())
    for method in methods:
        if method != "HEAD":  # answered as GET is, without a body
            yield f"`{method} {route.path}{'?' if query else ''}{query}`"


def _query(dependant: Dependant) -> Iterator[str]:
    for inner in dependant.dependencies:
        yield from _query(inner)
    for parameter in dependant.query_params:
        yield parameter.alias


def _permission(dependant: Dependant) -> str:
    return ", ".join(inner.call.permission.value for inner in dependant.dependencies if isinstance(inner.call, Requires))


if __name__ == "__main__":
    from privet.api.app import bare_app

    sys.stdout.write(page(Path(sys.argv[1]).read_text("utf-8"), bare_app().routes))
