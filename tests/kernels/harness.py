# SPDX-License-Identifier: Apache-2.0
"""Builds kernels as shared objects and calls them on buffers that reveal stray accesses."""

import ctypes
import mmap
import subprocess
from ctypes import POINTER, c_int32, c_uint32, c_void_p
from pathlib import Path

import numpy as np

from deeploy.engines.cluster.walk import Walk, shares

RUNTIME = Path(__file__).resolve().parents[2] / "runtime"
CFLAGS = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror"]
UNDEFINED = ["-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-DDPL_F32_NARROW"]
VARIANTS = {"simd": [], "checked": UNDEFINED, "portable": ["-DDPL_PORTABLE"]}
CTYPE = {
    "s8": "int8_t",
    "u8": "uint8_t",
    "s32": "int32_t",
    "f32": "float",
    "b1": "uint8_t",
    "b2": "uint16_t",
    "b4": "uint32_t",
}
DTYPE = {"s8": np.int8, "u8": np.uint8, "s32": np.int32, "f32": np.float32}
DTYPE |= {"b1": np.uint8, "b2": np.uint16, "b4": np.uint32}
LIMITS = {"s8": (-128, 127), "u8": (0, 255), "s32": (-(2**31), 2**31 - 1)}

LIMITS_C = {k: (low if low >= -128 else "INT32_MIN", high) for k, (low, high) in LIMITS.items()}
WALKING = ("binary", "binary_f32", "compare", "copy", "map", "select", "unary")
NAMES = {np.dtype(DTYPE[name]): name for name in LIMITS}


def forms(family, instances):
    """Each instance for rows, and for six dimensions."""
    made = []
    for name, macros in instances:
        rows = {"RANK": 2, "ARGS": f"dpl_{family}_args"}
        general = {"RANK": 6, "ARGS": f"dpl_{family}_nd_args"}
        made += [(name, {**macros, **rows}), (f"{name}_nd", {**macros, **general})]
    return made


def walking(pointers, rank, strides, rest):
    """The struct of arguments of a kernel that walks over `rank` dimensions."""

    class Args(ctypes.Structure):
        _fields_ = [
            *fields(pointers, c_void_p),
            ("dim", c_uint32 * rank),
            ("share", c_uint32 * 2),
            *fields(strides, c_int32 * rank),
            *rest,
        ]

    return Args


def padded(values, by, rank=6):
    """Extents or strides of as many dimensions as a kernel has."""
    return [*[by] * (rank - len(values)), *values]


def walked(args_of, walk, cores, rng, names):
    """Arguments with extents, strides and shares of a walk; in either form if it fits both."""
    rank = walk.rank if rng is None else int(rng.choice([6, walk.rank]))
    args = args_of(rank)()
    args.dim = (c_uint32 * rank)(*padded(walk.extents, 1, rank))
    for name, own in zip(names, walk.strides, strict=True):
        setattr(args, name, (c_int32 * rank)(*padded(own, 0, rank)))
    columns = walk.extents[-1] if walk.extents else 1
    args.share = (c_uint32 * 2)(*shares(int(np.prod(walk.extents[:-1])), columns, cores))
    return args


def walk_over(args_of, shape, operands, cores, rng, keep_last=False):
    """Arguments for operands and their strides, by their names in C, that a kernel walks over."""
    walk = Walk.over(shape, [stride for _, stride in operands.values()], keep_last=keep_last)
    args = walked(args_of, walk, cores, rng, [f"{name}_stride" for name in operands])
    for name, (operand, _) in operands.items():
        setattr(args, name, operand.address)
    return args


class Requant(ctypes.Structure):
    _fields_ = [
        ("mul", c_void_p),
        ("add", c_void_p),
        ("mul0", c_int32),
        ("add0", c_int32),
        ("shift", c_int32),
        ("lo", c_int32),
        ("hi", c_int32),
    ]


def fields(names, ctype):
    return [(name, ctype) for name in names.split()]


def chosen(instances, variant):
    """Sanitized kernels take long to compile: only every third of them is."""
    return instances[::3] if variant == "checked" else instances


def pick(instances, variant, number):
    names = [name for name, _ in chosen(instances, variant)]
    return names[number % len(names)]


def build(folder, family, instances, variant):
    """Compiles a shared object with an instance for each (name, parameters) pair."""
    lines = ["#include <stdint.h>"]
    selected = chosen(instances, variant)
    for name, parameters in forms(family, selected) if family in WALKING else selected:
        lines.append(f"#define DPL_NAME {name}")
        lines += [f"#define DPL_{key} {value}" for key, value in parameters.items()]
        lines.append(f'#include "deeploy/kernels/{family}.inc"')
    source = folder / f"{family}_{variant}.c"
    source.write_text("\n".join(lines) + "\n")
    target = source.with_suffix(".so")
    command = ["gcc", *CFLAGS, *VARIANTS[variant], "-shared", "-fPIC", "-I", RUNTIME / "include"]
    subprocess.run([*command, source, "-o", target], check=True)
    return ctypes.CDLL(str(target))


class Fence:
    """Memory between two pages without access: reading beyond an operand is a crash."""

    SIZE = 1 << 20

    def __init__(self):
        page = mmap.PAGESIZE
        self.map = mmap.mmap(-1, self.SIZE + 2 * page)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.map)) + page
        mprotect = ctypes.CDLL(None).mprotect
        mprotect.argtypes = [c_void_p, ctypes.c_size_t, ctypes.c_int]
        for address in (self.start - page, self.start + self.SIZE):
            assert mprotect(address, page, 0) == 0

    def place(self, size, at_end):
        """The address of `size` bytes that touch the fence before or after them."""
        assert size <= self.SIZE
        return self.start + (self.SIZE - size if at_end else 0)


FENCES = [Fence() for _ in range(7)]


class Operand:
    """A strided array in memory that touches a fence.

    Strides are in elements, at least one per element of the innermost dimension.
    """

    def __init__(self, fence, dtype, shape, strides, rng, at_end=True):
        self.dtype, self.shape, self.strides = np.dtype(dtype), tuple(shape), tuple(strides)
        self.count = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        size = self.count * self.dtype.itemsize
        self.address = FENCES[fence].place(size, at_end)
        raw = (ctypes.c_char * size).from_address(self.address)
        self.flat = np.frombuffer(raw, self.dtype)
        if self.dtype.kind == "f":
            self.flat[:] = rng.normal(0, 2, self.count)
        else:
            info = np.iinfo(self.dtype)
            self.flat[:] = rng.integers(info.min, info.max, self.count, self.dtype, endpoint=True)
        self.before = self.flat.copy()

    def view(self, flat=None):
        flat = self.flat if flat is None else flat
        strides = [s * self.dtype.itemsize for s in self.strides]
        return np.lib.stride_tricks.as_strided(flat, self.shape, strides)

    def check(self, expected):
        """The view holds `expected`, and nothing around its elements has changed."""
        self.view(self.before)[...] = expected
        np.testing.assert_array_equal(self.flat, self.before)

    def check_near(self, expected, tolerance=1e-5, terms=None):
        """The view holds `expected` but for rounding, and nothing around it has changed.

        `terms` is what the absolute values of the terms of a sum add up to.
        """
        actual = self.view().copy()
        scale = np.abs(expected) if terms is None else terms
        with np.errstate(invalid="ignore"):  # of infinities
            near = np.abs(actual - expected) <= tolerance * (1 + scale)
        wrong = ~(near | (actual == expected))
        assert not wrong.any(), (actual[wrong], np.broadcast_to(expected, wrong.shape)[wrong])
        self.check(actual)

    def unchanged(self):
        np.testing.assert_array_equal(self.flat, self.before)


def wide(values):
    """With room for sums of products."""
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def wrap(values):
    """To 32 bits."""
    return (np.asarray(values, np.int64) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def requant(acc, mul, add, shift, lo, hi):
    scaled = wrap(wrap(acc).astype(np.int64) * mul + add)
    return np.clip(scaled >> shift, lo, hi)


class Scaling:
    """Random requantisation parameters, spread over the range of a result type."""

    def __init__(self, rng, channels, y, spread, per_channel, fences=(4, 5)):
        lo, hi = LIMITS[y]
        self.shift = int(rng.integers(0, 24))
        # Mostly results in range; wrap-around in the other cases.
        factor = max(1, int(2**self.shift * 100 / spread)) if rng.integers(4) else 2**31 - 1
        self.mul = rng.integers(-factor, factor, channels, endpoint=True).astype(np.int32)
        bound = min(2**31 - 1, 2 ** (self.shift + 7))
        self.add = rng.integers(-bound, bound, channels, endpoint=True).astype(np.int32)
        self.lo, self.hi = sorted(int(v) for v in rng.integers(lo, hi, 2, endpoint=True))
        if rng.integers(2):
            self.lo, self.hi = lo, hi
        self.mul_given, self.add_given = per_channel
        if not self.mul_given:
            self.mul[:] = self.mul[0]
        if not self.add_given:
            self.add[:] = self.add[0]
        self.mul_memory = fenced(fences[0], self.mul)
        self.add_memory = fenced(fences[1], self.add)

    def struct(self):
        return Requant(
            self.mul_memory.address if self.mul_given else None,
            self.add_memory.address if self.add_given else None,
            int(self.mul[0]),
            int(self.add[0]),
            self.shift,
            self.lo,
            self.hi,
        )

    def apply(self, acc, along_rows=False):
        mul, add = self.mul.astype(np.int64), self.add.astype(np.int64)
        if along_rows:
            mul, add = mul[:, None], add[:, None]
        return requant(acc, mul, add, self.shift, self.lo, self.hi)


def fenced(fence, values):
    operand = Operand(fence, values.dtype, values.shape, (1,), np.random.default_rng(0))
    operand.flat[:] = values
    return operand


def run(library, name, args, cores, rng):
    """Every core in turn, in random order: the result must not depend on it."""
    general = "share" in dict(args._fields_) and len(args.dim) == 6
    function = getattr(library, f"{name}_nd" if general else name)
    function.argtypes = [POINTER(type(args)), c_uint32, c_uint32]
    function.restype = None
    for core in rng.permutation(cores):
        function(ctypes.byref(args), int(core), cores)
