"""Vocabulary of TorchScript archives: the modules of a program, of which only tensors are kept.

``torch.jit.save`` writes a program and the object that it works on. The object is a pickle whose
classes are defined by the program, below ``__torch__``. The program is never looked at: an instance
of any of these classes is a dict of its parameters, buffers and submodules, as in a ``state_dict``.
"""

from typing import Any

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.pickle_machine import ANY_NAME, Constructors, StandIn
from iqa_jax.weights.formats.torch_tensors import TENSORS, Tensor


class _Instance(StandIn):
    """An instance of a class of the program."""

    def __init__(self):
        self._attributes: dict = {}

    def set_state(self, state: Any) -> None:
        if type(state) is not dict:
            raise CheckpointError(
                "holds a module that stores its parameters in a way of its own (quantised ones "
                "do): load it with torch.jit.load and save its state_dict() with torch.save"
            )
        self._attributes = state

    def value(self) -> dict:
        return {
            name: value
            for name, value in self._attributes.items()
            if isinstance(value, Tensor | _Instance)
        }


def _typed(value: Any, _type: Any = None) -> Any:
    """A container whose type is stated beside it."""
    return value


PROGRAM: Constructors = {
    **TENSORS,
    ("__torch__", ANY_NAME): _Instance,
    **{
        ("torch.jit._pickle", name): _typed
        for name in (
            "build_boollist",
            "build_doublelist",
            "build_intlist",
            "build_tensorlist",
            "restore_type_tag",
        )
    },
}
"""Names that a TorchScript archive may use."""
