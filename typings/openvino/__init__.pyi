# The part of OpenVINO's Python API that Privet uses; the package itself is not marked as typed.
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

class Output: ...

class Model:
    inputs: list[Output]
    outputs: list[Output]
    def reshape(self, shape: Sequence[int] | Mapping[str, Sequence[int]]) -> None: ...

class InferRequest:
    def infer(self, inputs: Mapping[int | str, NDArray[Any]] | Sequence[NDArray[Any]] | NDArray[Any]) -> object: ...
    def get_tensor(self, name: str) -> Tensor: ...

class Tensor:
    @property
    def data(self) -> NDArray[np.float32]: ...

class CompiledModel:
    def create_infer_request(self) -> InferRequest: ...

class Core:
    available_devices: list[str]
    def __init__(self) -> None: ...
    def read_model(self, model: str | PathLike[str]) -> Model: ...
    def compile_model(self, model: Model, device_name: str, config: Mapping[str, Any] = ...) -> CompiledModel: ...
    def set_property(self, properties: Mapping[str, Any]) -> None: ...
