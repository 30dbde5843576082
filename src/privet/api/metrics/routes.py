"""Slice: `/metrics` for Prometheus; the figures are runtime's."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from privet.api.auth.permission import Permission, requires
from privet.api.dependencies import Deps

router = APIRouter(tags=["metrics"])

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    dependencies=requires(Permission.VIEW),
    responses={200: {"description": "Prometheus text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(deps: Deps) -> Response:
    """Counters and gauges as Prometheus reads them."""
    return Response(deps.metrics.exposition(), 200, {"Content-Type": MEDIA_TYPE})
