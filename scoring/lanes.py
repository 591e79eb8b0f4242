"""Lanes: a small vector of float64 for numba kernels, so that one instruction works on many rows.

Enters: flat float64 arrays. Leaves: a type `Lanes(n)` inside kernels with `+`, `-`, `*` between
lanes (and lanes and a number), loads and stores, and choices by a bit mask. It does no arithmetic
of its own kind: every lane is rounded as IEEE 754 says, nothing is fused or reordered, so equal
inputs give equal bits on any machine, however wide its registers are.

LLVM does not turn plain loops over lanes into vector code when the loop body branches or keeps
several running values; a value of type `<n x double>` leaves it no choice. What the processor
lacks in width, LLVM splits.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model
from numpy.typing import NDArray

ALIGN = 64
"""Bytes of a cache line, and of the widest register."""

_DOUBLE = ir.DoubleType()


class LanesType(types.Type):
    """The type of `width` float64 values held together."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Lanes({width})")


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: LanesType) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(_DOUBLE, fe_type.width))


def aligned(size: int) -> NDArray[np.float64]:
    """A zeroed float64 array that begins on a cache line."""
    room = np.zeros(size + ALIGN // 8, dtype=np.float64)
    skip = (-room.ctypes.data % ALIGN) // 8
    return room[skip : skip + size]


@intrinsic
def peek(typingctx: Any, array: Any, at: Any) -> Any:
    """Kernel function: the number at the place `at` of a flat array; no bounds, no negative places.

    An index of numba's own may be negative, and every use pays for the question.
    """
    kind = types.int64 if isinstance(array.dtype, types.Integer) else types.float64

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        value = builder.load(builder.gep(array.data, [args[1]]))
        return context.cast(builder, value, signature.args[0].dtype, kind)

    return kind(array, types.intp), build


def loader(width: int) -> Any:
    """The kernel function `load(array, at)`: `width` values from the place `at` on, no bounds."""
    lanes = LanesType(width)

    @intrinsic
    def load(typingctx: Any, array: Any, at: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = _place(context, builder, signature.args[0], args, width)
            value = builder.load(place)
            value.align = 8
            return value

        return lanes(array, types.intp), build

    return load


def filler(width: int) -> Any:
    """The kernel function `fill(number)`: the number in every lane."""
    lanes = LanesType(width)

    @intrinsic
    def fill(typingctx: Any, number: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _spread(builder, args[0], width)

        return lanes(types.float64), build

    return fill


def chooser(width: int) -> Any:
    """The kernel function `choose(bits, yes, no)`: the number `yes` where a lane's bit is set, else
    the lane of `no`."""
    lanes = LanesType(width)

    @intrinsic
    def choose(typingctx: Any, bits: Any, yes: Any, no: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            narrow = builder.trunc(args[0], ir.IntType(width))
            mask = builder.bitcast(narrow, ir.VectorType(ir.IntType(1), width))
            return builder.select(mask, _spread(builder, args[1], width), args[2])

        return lanes(types.int64, types.float64, lanes), build

    return choose


@intrinsic
def store(typingctx: Any, array: Any, at: Any, value: Any) -> Any:
    """Kernel function: put the lanes into the array from the place `at` on; no bounds."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(context, builder, signature.args[0], args, signature.args[2].width)
        builder.store(args[2], place).align = 8
        return context.get_dummy_value()

    return types.void(array, types.intp, value), build


def transposed_sums(width: int) -> Any:
    """The kernel function `sums(start, array, at, stride)`: lane i is that of `start` plus, one by
    one and in order, the `width` values from the place `at + i * stride` on; no bounds."""
    lanes = LanesType(width)
    steps = [1 << k for k in range(width.bit_length() - 1)]

    @intrinsic
    def sums(typingctx: Any, start: Any, array: Any, at: Any, stride: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            total, array, at, stride = args
            rows = []
            for _ in range(width):
                rows.append(
                    builder.load(_place(context, builder, signature.args[1], (array, at), width))
                )
                rows[-1].align = 8
                at = builder.add(at, stride)
            for step in steps:
                _swap(builder, rows, step)
            for row in rows:
                total = builder.fadd(total, row)
            return total

        return lanes(lanes, array, types.intp, types.intp), build

    return sums


@intrinsic
def at_most(typingctx: Any, value: Any, bound: Any) -> Any:
    """Kernel function: an int64 whose bit i says that lane i is at most the number `bound`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        width = signature.args[0].width
        mask = builder.fcmp_ordered("<=", args[0], _spread(builder, args[1], width))
        return builder.zext(builder.bitcast(mask, ir.IntType(width)), ir.IntType(64))

    return types.int64(value, types.float64), build


def _place(context: Any, builder: Any, array_type: Any, args: Any, width: int) -> Any:
    """The address of `args[0][args[1]]`, as that of `width` lanes."""
    array = context.make_array(array_type)(context, builder, args[0])
    return builder.bitcast(
        builder.gep(array.data, [args[1]]), ir.PointerType(ir.VectorType(_DOUBLE, width))
    )


def _spread(builder: Any, number: Any, width: int) -> Any:
    """One number in every lane."""
    vector = ir.VectorType(_DOUBLE, width)
    first = builder.insert_element(
        ir.Constant(vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _swap(builder: Any, rows: list[Any], step: int) -> None:
    """One step of a transposition: blocks of `step` lanes off the diagonal change places."""
    width, many = len(rows), range(len(rows))
    low = [i if not i & step else width + i - step for i in many]
    high = [i + step if not i & step else width + i for i in many]
    masks = [ir.Constant(ir.VectorType(ir.IntType(32), width), m) for m in (low, high)]
    for i in many:
        if not i & step:
            a, b = rows[i], rows[i | step]
            rows[i] = builder.shuffle_vector(a, b, masks[0])
            rows[i | step] = builder.shuffle_vector(a, b, masks[1])


def _binary(name: str) -> Any:
    @intrinsic
    def apply(typingctx: Any, a: Any, b: Any) -> Any:
        lanes = a if isinstance(a, LanesType) else b

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, y = (
                arg if isinstance(kind, LanesType) else _spread(builder, arg, lanes.width)
                for arg, kind in zip(args, signature.args, strict=True)
            )
            return getattr(builder, name)(x, y)

        return lanes(a, b), build

    return apply


_add, _subtract, _multiply = _binary("fadd"), _binary("fsub"), _binary("fmul")


def _are_lanes(a: Any, b: Any) -> bool:
    kinds = (a, b)
    return any(isinstance(k, LanesType) for k in kinds) and all(
        isinstance(k, LanesType) or k == types.float64 for k in kinds
    )


@overload(operator.add, strict=False)
def _plus(a: Any, b: Any) -> Any:
    return (lambda a, b: _add(a, b)) if _are_lanes(a, b) else None


@overload(operator.sub, strict=False)
def _minus(a: Any, b: Any) -> Any:
    return (lambda a, b: _subtract(a, b)) if _are_lanes(a, b) else None


@overload(operator.mul, strict=False)
def _times(a: Any, b: Any) -> Any:
    return (lambda a, b: _multiply(a, b)) if _are_lanes(a, b) else None
