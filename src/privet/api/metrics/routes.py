"""`/metrics` for Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from privet.api.auth.permission import Permission, requires
from privet.api.metrics.ports import Metrics
from privet.api.resource import Given

router = APIRouter(tags=["metrics"])

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class MetricsResource:
    """What these routes are given."""

    metrics: Metrics


Resource = Annotated[MetricsResource, Depends(Given(MetricsResource))]


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    dependencies=requires(Permission.VIEW),
    responses={200: {"description": "Prometheus text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(resource: Resource) -> Response:
    """Counters and gauges as Prometheus reads them."""
    return Response(resource.metrics.exposition(), 200, {"Content-Type": MEDIA_TYPE})
