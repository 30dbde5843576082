"""OpenAPI: the document at /api/openapi.json and in docs/ref/openapi.json, from which the web application's types are made.

`python -m privet.api.openapi` prints it.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from privet.api.auth.permission import Permission, requires
from privet.api.guard.problem import MEDIA_TYPE, Problem

router = APIRouter(include_in_schema=False)

VERSION = "1"
REF = "#/components/schemas/{model}"

PROBLEMS = {
    401: "Not logged in.",
    403: "The role lacks the permission, or the request comes from another site.",
    404: "There is no such thing, or not for the asker.",
    422: "A parameter cannot be used: `errors` says which.",
    429: "Too many attempts.",
    500: "Privet failed.",
    503: "The store cannot be read, or too much is asked at once.",
}


@router.get("/api/openapi.json", operation_id="openapi", dependencies=requires(Permission.VIEW))
async def openapi(request: Request) -> Response:
    """The OpenAPI document: paths, parameters and answers."""
    return JSONResponse(request.app.openapi())


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`. JSON, so the values are what JSON has."""
    made = get_openapi(
        title="Privet",
        version=VERSION,
        description="Video security that guards places, not people. Times are whole milliseconds since 1970, UTC.",
        routes=app.routes,
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template=REF)
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    made["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "privet_session"},
        "token": {"type": "http", "scheme": "bearer"},
    }
    for path, item in made["paths"].items():
        for operation in item.values():
            public = path == "/health"
            operation["security"] = [] if public else [{"session": []}, {"token": []}]
            for status, description in {500: PROBLEMS[500]}.items() if public else PROBLEMS.items():
                operation["responses"][str(status)] = {
                    "description": description,
                    "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}},
                }
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return made


def text(app: FastAPI) -> str:
    """The document as it is stored."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
