"""What a refused or failed request is told: problem+json (RFC 9457), one shape for all of them.

Belongs here: the translation of exceptions to answers. Does not belong here: secrets, paths of the machine, tracebacks: what an
answer says of an error of ours is fixed text, the chain goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from privet.api.guard.response_headers import add_security_headers
from privet.api.model import Model
from privet.core.errors import NotFoundError, PrivetError, StoreError, UserError

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


class ParameterProblem(Model):
    """One parameter that cannot be used."""

    parameter: str = Field(description="Its name.")
    where: str = Field(description="path, query, header, cookie or body.")
    message: str = Field(description="What is wrong with it.")


class Problem(Model):
    """Problem details (RFC 9457)."""

    type: str = Field(description="about:blank: the status says what kind of problem it is.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="HTTP status.")
    detail: str = Field(description="What happened and what to do.")
    errors: tuple[ParameterProblem, ...] = Field(description="The parameters that cannot be used; empty for other problems.")


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, errors: tuple[ParameterProblem, ...] = ()
) -> Response:
    """An answer that says what went wrong."""
    body = Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    answer_headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body.model_dump_json(), status, answer_headers, MEDIA_TYPE)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "there is nothing at this address"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = "this address takes other methods: see the header Allow"
    return problem(error.status_code, detail, headers=error.headers)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = []
    for item in error.errors():
        where, *names = (str(part) for part in item["loc"])
        errors.append(ParameterProblem(parameter=".".join(names)[:64], where=where, message=str(item["msg"])))
    names_of_all = ", ".join(item.parameter for item in errors)
    return problem(422, f"cannot be used: {names_of_all}", errors=tuple(errors))


async def _gone(request: Request, error: Exception) -> Response:
    return problem(408, "the connection was closed before the body was whole")  # nobody reads it, and nothing failed


async def _privet(request: Request, error: Exception) -> Response:
    match error:
        case NotFoundError():
            return problem(404, str(error))
        case UserError():
            return problem(422, str(error))
        case StoreError():
            _log.error("the store failed", exc_info=error)
            return problem(
                503,
                "what is stored cannot be read or written: the log says why. A full disk needs room; `privet check` mends what is damaged",
            )
        case _:
            return await _internal(request, error)


async def _internal(request: Request, error: Exception) -> Response:
    _log.error("a request failed", exc_info=error)
    answer = problem(500, "Privet failed: the log says why")
    add_security_headers(answer.headers)  # this one is made outside the request guard
    return answer


def install(app: FastAPI) -> None:
    """Let `app` answer every error as a problem."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(PrivetError, _privet)
    app.add_exception_handler(Exception, _internal)
