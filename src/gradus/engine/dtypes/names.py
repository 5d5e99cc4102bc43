"""What PyTorch's messages call a dtype: by the name of its scalar type, or by that of its C++ type."""

from __future__ import annotations

from typing import Any

import numpy as np

_NAMES = {
    "float32": ("Float", "float"),
    "float64": ("Double", "double"),
    "float16": ("Half", "c10::Half"),
    "bfloat16": ("BFloat16", "c10::BFloat16"),
    "complex64": ("ComplexFloat", "c10::complex<float>"),
    "complex128": ("ComplexDouble", "c10::complex<double>"),
    "int64": ("Long", "long int"),
    "int32": ("Int", "int"),
    "int16": ("Short", "short int"),
    "int8": ("Char", "signed char"),
    "uint8": ("Byte", "unsigned char"),
    "uint16": ("UInt16", "short unsigned int"),
    "uint32": ("UInt32", "unsigned int"),
    "uint64": ("UInt64", "long unsigned int"),
    "bool": ("Bool", "bool"),
}


def scalar_name(dtype: np.dtype[Any]) -> str:
    """The name of a dtype in most of PyTorch's messages: Float, Long."""
    return _NAMES[dtype.name][0] if dtype.name in _NAMES else dtype.name


def c_name(dtype: np.dtype[Any]) -> str:
    """The name of a dtype in the messages that show the C++ type: float, long int."""
    return _NAMES[dtype.name][1]
