"""Loops over float32 elements written in LLVM's vector instructions, where Numba does not find them: copies,
transposes, the maximum of a row.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types

from gradus.engine.kernels.target import COLUMNS, LANES, ROWS

intrinsic: Any = extending.intrinsic

_WORD = ir.IntType(64)
_FLOAT = ir.FloatType()


@intrinsic
def prefer_wide_vectors(typing_context: Any) -> Any:
    """Let the calling function's loops use the widest vectors; LLVM by itself prefers half of AVX-512's."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if LANES == 16:  # llvmlite has no attributes with values, but emits whatever is in the set
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), code


@intrinsic
def prefetch(typing_context: Any, address: Any) -> Any:
    """Let the processor load the cache line at an address, which need not be valid, while it goes on."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        flag = ir.IntType(32)
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        shape = ir.FunctionType(ir.VoidType(), [pointer.type, flag, flag, flag])
        load = builder.module.declare_intrinsic("llvm.prefetch", (pointer.type,), shape)
        builder.call(load, [pointer, flag(0), flag(3), flag(1)])  # to read, into the first-level cache, data
        return context.get_dummy_value()

    return types.void(types.intp), code


@intrinsic
def fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c with one rounding, in a's type."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return a(a, a, a), code


@intrinsic
def maximum(typing_context: Any, address: Any, vectors: Any) -> Any:
    """The maximum of LANES * vectors float32 elements at an address; vectors is at least 1."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address, vectors = values
        vector = ir.VectorType(_FLOAT, LANES)

        def larger(a: Any, b: Any) -> Any:
            return builder.select(builder.fcmp_ordered(">", a, b), a, b)

        first = builder.load(builder.inttoptr(address, vector.as_pointer()), align=4)
        before, loop, done = builder.basic_block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        left, pointer, top = builder.phi(_WORD), builder.phi(_WORD), builder.phi(vector)
        updated = larger(builder.load(builder.inttoptr(pointer, vector.as_pointer()), align=4), top)
        loop_variables = [
            (left, vectors, builder.sub(left, _WORD(1))),
            (pointer, address, builder.add(pointer, _WORD(4 * LANES))),
            (top, first, updated),
        ]
        for variable, initial, following in loop_variables:
            variable.add_incoming(initial, before)
            variable.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed(">", loop_variables[0][2], _WORD(0)), loop, done)
        builder.position_at_end(done)
        half = LANES // 2
        while half:  # fold the upper half onto the lower
            upper = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [(j + half) % LANES for j in range(LANES)])
            updated = larger(builder.shuffle_vector(updated, updated, upper), updated)
            half //= 2
        return builder.extract_element(updated, ir.IntType(32)(0))

    return types.float32(types.intp, types.intp), code


def _copy(size: int) -> Any:
    """A function copy(to, source): copy so many float32 elements, by address."""

    def typed(typing_context: Any, to: Any, source: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            to, source = (builder.inttoptr(value, ir.VectorType(_FLOAT, size).as_pointer()) for value in values)
            builder.store(builder.load(source, align=4), to, align=4)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp), code

    return intrinsic(typed)


copy_panel_row, copy_slab_column = _copy(COLUMNS), _copy(ROWS)


@intrinsic
def transpose_square(typing_context: Any, to: Any, to_stride: Any, source: Any, source_stride: Any) -> Any:
    """Transpose a block of LANES x LANES elements; the strides are those of rows, in elements."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        to, to_stride, source, source_stride = values
        vector = ir.VectorType(_FLOAT, LANES)

        def row(address: Any, stride: Any, r: int) -> Any:
            return builder.inttoptr(builder.add(address, builder.mul(_WORD(4 * r), stride)), vector.as_pointer())

        def shuffled(a: Any, b: Any, which: list[int]) -> Any:
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), LANES), which))

        rows = [builder.load(row(source, source_stride, r), align=4) for r in range(LANES)]
        size = 1
        while size < LANES:  # exchange the off-diagonal blocks of this size
            low = [j if not j & size else LANES + j - size for j in range(LANES)]
            high = [j + size if not j & size else LANES + j for j in range(LANES)]
            for i in range(LANES):
                if not i & size:
                    a, b = rows[i], rows[i + size]
                    rows[i], rows[i + size] = shuffled(a, b, low), shuffled(a, b, high)
            size *= 2
        for r in range(LANES):
            builder.store(rows[r], row(to, to_stride, r), align=4)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), code
