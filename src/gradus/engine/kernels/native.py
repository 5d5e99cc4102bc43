"""The few machine instructions that Numba does not give by itself: words shared by threads, calls by address, a tile.

Words in an int64 array that several threads read and write (`load`, `store`, `fetch_add`, `exchange`, all sequentially
consistent); `job` and `call`, which let one thread hand a compiled function with its arguments to another; and what is
written out in vectors: lines and squares of numbers to copy, the largest of a row, and `tile`, the innermost loop of a
matrix product, whose sums stay in registers.
"""

from __future__ import annotations

import platform
import sys
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import extending, njit, types
from numba.core import cgutils, config
from numba.core.errors import TypingError

from gradus.engine.dtypes import Array

carray: Any = numba.carray  # type: ignore[attr-defined]
intrinsic: Any = extending.intrinsic

_WORD = ir.IntType(64)
_FLOAT = ir.FloatType()
_BYTE = ir.IntType(8)
_LINE = 16  # numbers in a line of the caches
_AHEAD = 16  # rows of b that are fetched before they are read: they come from the second cache


def _has(feature: str) -> bool:
    """Whether the processor that Numba compiles for has a feature: this one, or the one that its settings name."""
    settings: Any = config
    if settings.CPU_NAME or settings.CPU_FEATURES:
        return f"+{feature}" in (settings.CPU_FEATURES or "").split(",")
    return bool(llvm.get_host_cpu_features().get(feature))


# The tile's shape: as many sums as fit the vector registers, beside one row of b and one number of a.
if _has("avx512f"):
    LANES, ROWS, VECTORS = 16, 12, 2
elif _has("avx2"):
    LANES, ROWS, VECTORS = 8, 6, 2
else:
    LANES, ROWS, VECTORS = 4, 6, 2
COLUMNS = LANES * VECTORS
STRIP_ROWS, STRIP_VECTORS = 8, 2 if LANES == 16 else 1  # the same for a product of few rows


# ---- words


def _place(context: Any, builder: Any, kind: Any, words: Any, index: Any) -> Any:
    array = context.make_array(kind)(context, builder, words)
    return builder.gep(array.data, [index])


@intrinsic
def load(typing_context: Any, words: Any, index: Any) -> Any:
    """words[index], as it is now."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], arguments[0], arguments[1])
        return builder.load_atomic(place, ordering="seq_cst", align=8)

    return types.int64(words, types.intp), code


@intrinsic
def store(typing_context: Any, words: Any, index: Any, value: Any) -> Any:
    """words[index] = value."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], arguments[0], arguments[1])
        builder.store_atomic(arguments[2], place, ordering="seq_cst", align=8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.int64), code


def _update(operation: str) -> Any:
    def typed(typing_context: Any, words: Any, index: Any, value: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = _place(context, builder, signature.args[0], arguments[0], arguments[1])
            return builder.atomic_rmw(operation, place, arguments[2], "seq_cst")

        return types.int64(words, types.intp, types.int64), code

    return intrinsic(typed)


fetch_add = _update("add")  # words[index] += value; what it was before
exchange = _update("xchg")  # words[index] = value; what it was before


@intrinsic
def pause(typing_context: Any) -> Any:
    """Tell the core that this is a loop that waits."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if platform.machine() in ("x86_64", "AMD64"):
            builder.call(
                builder.module.declare_intrinsic("llvm.x86.sse2.pause", fnty=ir.FunctionType(ir.VoidType(), [])), []
            )
        elif platform.machine() in ("aarch64", "arm64"):
            yielding = ir.FunctionType(ir.VoidType(), [ir.IntType(32)])
            builder.call(builder.module.declare_intrinsic("llvm.aarch64.hint", fnty=yielding), [ir.IntType(32)(1)])
        return context.get_dummy_value()

    return types.void(), code


_WINDOWS = sys.platform == "win32"
give_way: Any = types.ExternalFunction("SwitchToThread" if _WINDOWS else "sched_yield", types.int32())  # lend the core
_bytes = types.intp(types.int32, types.intp, types.uintp)  # of a file, to or from an address, so many
read_bytes: Any = types.ExternalFunction("_read" if _WINDOWS else "read", _bytes)
write_bytes: Any = types.ExternalFunction("_write" if _WINDOWS else "write", _bytes)


# ---- addresses of numbers and functions


@intrinsic
def _float_pointer(typing_context: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], _FLOAT.as_pointer())

    return types.CPointer(types.float32)(types.intp), code


@njit(inline="always", cache=True)
def floats(address: int, n: int) -> Array:
    """The n float32s at an address."""
    found: Array = carray(_float_pointer(address), n)
    return found


@intrinsic
def job(typing_context: Any, function: Any, arguments: Any) -> Any:
    """The compiled `function(*arguments, start, stop)` as two addresses, of its code and of its arguments.

    The arguments are kept in the caller's frame: the addresses are good until the caller returns.
    """
    if not isinstance(function, types.Dispatcher) or not isinstance(arguments, types.BaseTuple):
        raise TypingError("job(function, arguments) takes a compiled function and a tuple")
    each: Any = arguments
    kinds = (*each, types.intp, types.intp)
    called: Any = function.get_call_type(typing_context, kinds, {})

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        compiled = function.dispatcher.overloads[called.args]
        context.add_linking_libs([compiled.library])
        name = f"job.{compiled.fndesc.mangled_name}"
        shape = ir.FunctionType(ir.VoidType(), [_WORD, _WORD, _WORD])
        entry = builder.module.globals.get(name)
        if entry is None:
            entry = ir.Function(builder.module, shape, name)
            entry.linkage = "internal"
            inner = ir.IRBuilder(entry.append_basic_block())
            kept = inner.inttoptr(entry.args[0], context.get_value_type(arguments).as_pointer())
            unpacked = cgutils.unpack_tuple(inner, inner.load(kept))
            context.call_internal_no_propagate(inner, compiled.fndesc, called, [*unpacked, *entry.args[1:]])
            for instruction in inner.block.instructions:
                # Built in here: another copy, compiled earlier in this process, may round differently.
                if isinstance(instruction, ir.instructions.CallInstr):
                    instruction.attributes.add("alwaysinline")
            inner.ret_void()
        slot = cgutils.alloca_once_value(builder, values[1])
        return context.make_tuple(
            builder, signature.return_type, [builder.ptrtoint(entry, _WORD), builder.ptrtoint(slot, _WORD)]
        )

    return types.UniTuple(types.int64, 2)(function, arguments), code


@intrinsic
def call(typing_context: Any, code_at: Any, arguments_at: Any, start: Any, stop: Any) -> Any:
    """Call what `job` made, for start..stop."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        shape = ir.FunctionType(ir.VoidType(), [_WORD, _WORD, _WORD])
        builder.call(builder.inttoptr(values[0], shape.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.intp, types.intp), code


# ---- vectors


@intrinsic
def wide(typing_context: Any) -> Any:
    """Let the loops of the function that says this use the widest vectors there are; LLVM prefers half of AVX-512's."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if LANES == 16:  # llvmlite knows no attributes with values, but writes out what is in the set
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), code


@intrinsic
def fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c with one rounding, in a's type."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return a(a, a, a), code


@intrinsic
def largest(typing_context: Any, at: Any, vectors: Any) -> Any:
    """The largest of the float32s at an address, LANES times `vectors` of them, at least one vector."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        at, vectors = values
        vector = ir.VectorType(_FLOAT, LANES)

        def larger(a: Any, b: Any) -> Any:
            return builder.select(builder.fcmp_ordered(">", a, b), a, b)

        first = builder.load(builder.inttoptr(at, vector.as_pointer()), align=4)
        before, loop, done = builder.basic_block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        left, place, top = builder.phi(_WORD), builder.phi(_WORD), builder.phi(vector)
        grown = larger(builder.load(builder.inttoptr(place, vector.as_pointer()), align=4), top)
        changes = [
            (left, vectors, builder.sub(left, _WORD(1))),
            (place, at, builder.add(place, _WORD(4 * LANES))),
            (top, first, grown),
        ]
        for variable, start, following in changes:
            variable.add_incoming(start, before)
            variable.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed(">", changes[0][2], _WORD(0)), loop, done)
        builder.position_at_end(done)
        half = LANES // 2
        while half:  # the upper half against the lower
            upper = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [(j + half) % LANES for j in range(LANES)])
            grown = larger(builder.shuffle_vector(grown, grown, upper), grown)
            half //= 2
        return builder.extract_element(grown, ir.IntType(32)(0))

    return types.float32(types.intp, types.intp), code


def _line(size: int) -> Any:
    def typed(typing_context: Any, to: Any, start: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            to, start = (builder.inttoptr(value, ir.VectorType(_FLOAT, size).as_pointer()) for value in values)
            builder.store(builder.load(start, align=4), to, align=4)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp), code

    return intrinsic(typed)


panel_line, slab_line = _line(COLUMNS), _line(ROWS)  # line(to, start) copies a line of numbers


@intrinsic
def turn(typing_context: Any, to: Any, to_apart: Any, start: Any, apart: Any) -> Any:
    """Turn a square of LANES by LANES numbers: rows become columns. Rows lie `apart` and `to_apart` numbers apart."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        to, to_apart, start, apart = values
        vector = ir.VectorType(_FLOAT, LANES)

        def row(address: Any, step: Any, r: int) -> Any:
            return builder.inttoptr(builder.add(address, builder.mul(_WORD(4 * r), step)), vector.as_pointer())

        def mixed(a: Any, b: Any, which: list[int]) -> Any:
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), LANES), which))

        rows = [builder.load(row(start, apart, r), align=4) for r in range(LANES)]
        size = 1
        while size < LANES:  # exchange the off-diagonal squares of this size
            low = [j if not j & size else LANES + j - size for j in range(LANES)]
            high = [j + size if not j & size else LANES + j for j in range(LANES)]
            for i in range(LANES):
                if not i & size:
                    a, b = rows[i], rows[i + size]
                    rows[i], rows[i + size] = mixed(a, b, low), mixed(a, b, high)
            size *= 2
        for r in range(LANES):
            builder.store(rows[r], row(to, to_apart, r), align=4)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), code


def _tile(height: int, vectors: int) -> Any:
    """A tile of so many rows and so many vectors of columns."""

    def tile(
        typing_context: Any,
        depth: Any,
        a: Any,
        down: Any,
        along: Any,
        b: Any,
        b_width: Any,
        c: Any,
        c_width: Any,
        plus: Any,
        plus_width: Any,
    ) -> Any:
        """c (rows, columns) = a (rows, depth) @ b (depth, columns) + what is at `plus`, if that is not 0.

        a, b, c and plus are addresses of float32s. a's rows are `down` numbers apart and its columns `along`; the rows
        of the others (`plus` may be c itself, say, or one row for all) are `_width` apart. depth is at least 1.
        """

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            depth, a, down, along, b, b_width, c, c_width, plus, plus_width = values
            vector = ir.VectorType(_FLOAT, LANES)
            multiply_add = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{LANES}f32"
            )

            def at(address: Any, kind: Any) -> Any:
                return builder.inttoptr(address, kind.as_pointer())

            def moved(address: Any, numbers: int) -> Any:
                return builder.add(address, _WORD(4 * numbers))

            prefetch = builder.module.declare_intrinsic(
                "llvm.prefetch", fnty=ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), *[ir.IntType(32)] * 3])
            )

            def fetch(row: Any) -> None:
                for line in range(0, vectors * LANES, _LINE):
                    builder.call(prefetch, [at(moved(row, line), _BYTE), *map(ir.IntType(32), (0, 3, 1))])

            for r in range(height):  # where the results go, while there is time
                fetch(builder.add(c, builder.mul(_WORD(4 * r), c_width)))
            rows = [builder.add(a, builder.mul(_WORD(4 * r), down)) for r in range(height)]
            step, step_of_b = (builder.mul(apart, _WORD(4)) for apart in (along, b_width))
            before, loop, done = builder.basic_block, builder.append_basic_block(), builder.append_basic_block()
            builder.branch(loop)
            builder.position_at_end(loop)
            left, offset, row_of_b = builder.phi(_WORD), builder.phi(_WORD), builder.phi(_WORD)
            sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(height)]
            factors = [builder.load(at(moved(row_of_b, v * LANES), vector), align=4) for v in range(vectors)]
            fetch(builder.add(row_of_b, builder.mul(step_of_b, _WORD(_AHEAD))))
            grown = []
            for r in range(height):
                number = builder.load(at(builder.add(rows[r], offset), _FLOAT), align=4)
                single = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
                same = builder.shuffle_vector(
                    single,
                    ir.Constant(vector, ir.Undefined),
                    ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES),
                )
                grown.append([builder.call(multiply_add, [same, factors[v], sums[r][v]]) for v in range(vectors)])
            changes = [
                (left, depth, builder.sub(left, _WORD(1))),
                (offset, _WORD(0), builder.add(offset, step)),
                (row_of_b, b, builder.add(row_of_b, step_of_b)),
            ]
            zero = ir.Constant(vector, [0.0] * LANES)
            changes += [(sums[r][v], zero, grown[r][v]) for r in range(height) for v in range(vectors)]
            for variable, first, following in changes:
                variable.add_incoming(first, before)
                variable.add_incoming(following, loop)
            builder.cbranch(builder.icmp_signed(">", changes[0][2], _WORD(0)), loop, done)
            builder.position_at_end(done)

            def write(adding: bool) -> None:
                for r in range(height):
                    row = builder.add(c, builder.mul(_WORD(4 * r), c_width))
                    row_of_plus = builder.add(plus, builder.mul(_WORD(4 * r), plus_width))
                    for v in range(vectors):
                        value = grown[r][v]
                        if adding:
                            more = builder.load(at(moved(row_of_plus, v * LANES), vector), align=4)
                            value = builder.fadd(more, value)
                        builder.store(value, at(moved(row, v * LANES), vector), align=4)

            with builder.if_else(builder.icmp_signed("!=", plus, _WORD(0))) as (adding, setting):
                with adding:
                    write(True)
                with setting:
                    write(False)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 10), code

    return intrinsic(tile)


tile = _tile(ROWS, VECTORS)
strip = _tile(STRIP_ROWS, STRIP_VECTORS)
