"""A camera's counters as the API answers with them: every figure that pipe.proto declares for it, and no list of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from google.protobuf.message import Message
from pydantic import Field, create_model

from privet.api.model import Model
from privet.core.declared import STATE, Figure, figures

FIGURES = tuple(figure for figure in figures() if figure.in_api)


def counters_model(shown: Iterable[Figure]) -> type[Model]:
    """Return the model that has a field for each figure: a whole number, or one of a state's names."""
    fields: dict[str, Any] = {figure.name: (_type(figure), Field(description=figure.help)) for figure in shown}
    return create_model(
        "CountersModel",
        __base__=Model,
        __doc__="Since the camera's pipeline started; all 0 before a worker has said anything.",
        __module__=__name__,
        **fields,
    )


def _type(figure: Figure) -> object:
    return Literal[figure.values] if figure.kind == STATE else int


if TYPE_CHECKING:

    class CountersModel(Model):
        """Its fields are known when it runs: those that are declared."""

        def __getattr__(self, name: str) -> Any: ...

else:
    CountersModel = counters_model(FIGURES)


def counters(health: Message) -> CountersModel:
    """Return a report's counters; of an empty one, all 0."""
    return CountersModel.model_validate(values(FIGURES, health))


def values(shown: Iterable[Figure], health: Message) -> dict[str, int | str]:
    """Return what a report says of each figure."""
    return {
        figure.name: figure.values[getattr(health, figure.name)] if figure.kind == STATE else getattr(health, figure.name)
        for figure in shown
    }
