"""The innermost loop of a matrix product: a tile of the result, whose sums stay in the vector registers.

Written as LLVM's own vector instructions, because Numba would not keep so many sums in registers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils

from gradus.engine.kernels.target import LANES, ROWS, STRIP_ROWS, STRIP_VECTORS, VECTORS

intrinsic: Any = extending.intrinsic

_WORD = ir.IntType(64)
_FLOAT = ir.FloatType()
_BYTE = ir.IntType(8)
_LINE = 16  # elements in a cache line
_AHEAD = 16  # rows of b to prefetch ahead: they come from the second-level cache


def _tile(height: int, vectors: int) -> Any:
    """The micro-kernel for tiles of `height` rows and LANES * vectors columns."""

    def tile(
        typing_context: Any,
        depth: Any,
        a: Any,
        row_stride: Any,
        column_stride: Any,
        b: Any,
        ldb: Any,
        c: Any,
        ldc: Any,
        addend: Any,
        ld_addend: Any,
    ) -> Any:
        """c (rows, columns) = a (rows, depth) @ b (depth, columns) + addend, unless addend is 0.

        a, b, c and addend are addresses of float32 elements. row_stride and column_stride are a's; the others have
        rows in one piece and a leading dimension, in elements. addend may be c itself, or one row (ld_addend 0).
        depth is at least 1.
        """

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            depth, a, row_stride, column_stride, b, ldb, c, ldc, addend, ld_addend = values
            vector = ir.VectorType(_FLOAT, LANES)
            multiply_add = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{LANES}f32"
            )

            def pointer(address: Any, element: Any) -> Any:
                return builder.inttoptr(address, element.as_pointer())

            def offset_by(address: Any, elements: int) -> Any:
                return builder.add(address, _WORD(4 * elements))

            prefetch = builder.module.declare_intrinsic(
                "llvm.prefetch", fnty=ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), *[ir.IntType(32)] * 3])
            )

            def prefetch_row(row: Any) -> None:
                for line in range(0, vectors * LANES, _LINE):
                    builder.call(prefetch, [pointer(offset_by(row, line), _BYTE), *map(ir.IntType(32), (0, 3, 1))])

            for r in range(height):  # the destination, which is written last
                prefetch_row(builder.add(c, builder.mul(_WORD(4 * r), ldc)))
            rows = [builder.add(a, builder.mul(_WORD(4 * r), row_stride)) for r in range(height)]
            step, step_of_b = (builder.mul(stride, _WORD(4)) for stride in (column_stride, ldb))
            before, loop, done = builder.basic_block, builder.append_basic_block(), builder.append_basic_block()
            builder.branch(loop)
            builder.position_at_end(loop)
            left, offset, row_of_b = builder.phi(_WORD), builder.phi(_WORD), builder.phi(_WORD)
            sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(height)]
            factors = [builder.load(pointer(offset_by(row_of_b, v * LANES), vector), align=4) for v in range(vectors)]
            prefetch_row(builder.add(row_of_b, builder.mul(step_of_b, _WORD(_AHEAD))))
            new_sums = []
            for r in range(height):
                number = builder.load(pointer(builder.add(rows[r], offset), _FLOAT), align=4)
                element = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
                broadcast = builder.shuffle_vector(
                    element,
                    ir.Constant(vector, ir.Undefined),
                    ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES),
                )
                new_sums.append(
                    [builder.call(multiply_add, [broadcast, factors[v], sums[r][v]]) for v in range(vectors)]
                )
            loop_variables = [
                (left, depth, builder.sub(left, _WORD(1))),
                (offset, _WORD(0), builder.add(offset, step)),
                (row_of_b, b, builder.add(row_of_b, step_of_b)),
            ]
            zero = ir.Constant(vector, [0.0] * LANES)
            loop_variables += [(sums[r][v], zero, new_sums[r][v]) for r in range(height) for v in range(vectors)]
            for variable, first, following in loop_variables:
                variable.add_incoming(first, before)
                variable.add_incoming(following, loop)
            builder.cbranch(builder.icmp_signed(">", loop_variables[0][2], _WORD(0)), loop, done)
            builder.position_at_end(done)

            def write(adding: bool) -> None:
                for r in range(height):
                    row = builder.add(c, builder.mul(_WORD(4 * r), ldc))
                    row_of_addend = builder.add(addend, builder.mul(_WORD(4 * r), ld_addend))
                    for v in range(vectors):
                        value = new_sums[r][v]
                        if adding:
                            term = builder.load(pointer(offset_by(row_of_addend, v * LANES), vector), align=4)
                            value = builder.fadd(term, value)
                        builder.store(value, pointer(offset_by(row, v * LANES), vector), align=4)

            with builder.if_else(builder.icmp_signed("!=", addend, _WORD(0))) as (adding, setting):
                with adding:
                    write(True)
                with setting:
                    write(False)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 10), code

    return intrinsic(tile)


tile = _tile(ROWS, VECTORS)
strip = _tile(STRIP_ROWS, STRIP_VECTORS)
