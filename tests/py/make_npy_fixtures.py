#!/usr/bin/python3
"""NPY and NPZ files of every version, order, byte order and real dtype, written by numpy: make_npy_fixtures.py FOLDER.

Each holds the matrix m[i, j] = 10 i + j, 3 x 4 (booleans: odd or even). FOLDER/mat: MATLAB files, written here byte by
byte after MathWorks' "MAT-File Format", and one recording as CSV, NPY, NPZ and MAT.
"""
import os
import struct
import sys
import warnings
import zlib

import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
matrix = np.arange(3)[:, None] * 10 + np.arange(4)[None, :]
warnings.simplefilter("ignore")
for version in ((1, 0), (2, 0), (3, 0)):
    for order in "CF":
        for dtype in ("<f2", "<f4", ">f4", "<f8", ">f8", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "|u1", "<u2",
                      ">u2", "<u4", ">u4", "<u8", ">u8", "|b1"):
            a = np.array(matrix % 2 if dtype == "|b1" else matrix, dtype=dtype, order=order)
            name = "v%d_%s_%s.npy" % (version[0], order, dtype.replace("<", "l").replace(">", "b").replace("|", "n"))
            with open(os.path.join(folder, name), "wb") as f:
                np.lib.format.write_array(f, a, version=version)
np.save(os.path.join(folder, "bad_object.npy"), np.array([[1, "x"]], dtype=object), allow_pickle=True)
np.save(os.path.join(folder, "bad_complex.npy"), matrix.astype(complex))
np.save(os.path.join(folder, "bad_text.npy"), np.array([["a", "b"]]))
np.save(os.path.join(folder, "bad_cube.npy"), np.zeros((2, 3, 4)))
np.save(os.path.join(folder, "bad_vector.npy"), np.zeros(7))
np.savez(os.path.join(folder, "stored.npz"), m=matrix.astype("f4"), n=np.arange(5))
np.savez_compressed(os.path.join(folder, "deflated.npz"), m=matrix.astype("f4"), n=np.arange(5))


# Types of elements and classes of arrays, by dtype.
MI = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9, "i8": 12, "u8": 13}
MX = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i2": 10, "u2": 11, "i4": 12, "u4": 13, "i8": 14, "u8": 15}
MATRIX, COMPRESSED, CELL, STRUCT, OBJECT, CHAR, SPARSE = 14, 15, 1, 2, 3, 4, 5
LOGICAL, COMPLEX = 0x200, 0x800


class Mat:
    """Elements in one byte order; file() puts them after a header."""

    def __init__(self, order):
        self.order = order

    def pack(self, kind, *values):
        return struct.pack(self.order + kind, *values)

    def element(self, kind, data):
        if 0 < len(data) <= 4:  # within the tag, whose halves are then size and type
            return self.pack("I", len(data) << 16 | kind) + data.ljust(4, b"\0")
        return self.pack("II", kind, len(data)) + data + b"\0" * (-len(data) % 8)

    def numbers(self, values, dtype):
        return self.element(MI[dtype], np.asarray(values).astype(self.order + dtype).tobytes("F"))

    def array(self, name, kind, shape, *parts, flags=0, most=0):
        return self.element(MATRIX, self.element(6, self.pack("II", kind | flags, most)) + self.numbers(shape, "i4") +
                            self.element(1, name.encode()) + b"".join(parts))

    def matrix(self, name, values, dtype="f8", stored=None, flags=0):
        return self.array(name, MX[dtype], values.shape, self.numbers(values, stored or dtype), flags=flags)

    def text(self, name, value):
        return self.array(name, CHAR, (1, len(value)), self.numbers([ord(c) for c in value], "u2"))

    def cells(self, name, *items):
        return self.array(name, CELL, (1, len(items)), *items)

    def struct(self, name, fields, *structs):
        names = b"".join(f.encode().ljust(32, b"\0") for f in fields)
        return self.array(name, STRUCT, (1, len(structs)), self.numbers([32], "i4"), self.element(1, names),
                          *[v for one in structs for v in one])

    def sparse(self, name, values):
        cols, rows = np.nonzero(values.T)
        starts = [np.sum(cols < c) for c in range(values.shape[1] + 1)]
        return self.array(name, SPARSE, values.shape, self.numbers(rows, "i4"), self.numbers(starts, "i4"),
                          self.numbers(values[rows, cols], "f8"), most=len(rows))

    def file(self, variables, packed):
        if packed:
            variables = [zlib.compress(v) for v in variables]
            variables = [self.pack("II", COMPRESSED, len(v)) + v for v in variables]
        head = b"MATLAB 5.0 MAT-file, written by Dalea's tests".ljust(124) + self.pack("HH", 0x0100, 0x4D49)
        return head + b"".join(variables)


def every_kind(m):
    plain = matrix.astype("f8")
    items = [m.matrix("n_" + d, plain, d) for d in sorted(MX)]
    deep = m.matrix("", plain)
    for _ in range(10):
        deep = m.struct("", ["a"], [deep])
    return items + [
        m.matrix("stored_small", plain, "f8", "u1"), m.matrix("truth", plain % 2, "u1", flags=LOGICAL),
        m.sparse("thin", plain * (plain % 2)), m.text("label", "five!"), m.matrix("row", plain[:1]),
        m.array("wave", 6, (3, 4), m.numbers(plain, "f8"), m.numbers(plain, "f8"), flags=COMPLEX),
        m.matrix("cube", np.arange(24.0).reshape(2, 3, 4)), m.matrix("none", np.zeros((0, 4))),
        m.struct("s", ["trace", "name", "in"], [m.matrix("", plain + 100), m.text("", "abc"),
                                                m.struct("", ["x"], [m.matrix("", plain + 200)])]),
        m.struct("t", ["v"], [m.matrix("", plain[:2])], [m.matrix("", plain + 300)]),
        m.cells("c", m.matrix("", plain[:, :1]), m.text("", "ab"), m.element(MATRIX, b""), m.matrix("", plain + 400)),
        m.array("thing", OBJECT, (1, 1), m.element(1, b"class"), m.numbers([32], "i4"),
                m.element(1, b"a".ljust(32, b"\0")), m.matrix("", plain)),
        m.array("deep", CELL, (1, 1), deep)]


mat = os.path.join(folder, "mat")
os.makedirs(mat, exist_ok=True)


def put(name, data):
    with open(os.path.join(mat, name), "wb") as f:
        f.write(data)


for order, word in (("<", "little"), (">", "big")):
    m = Mat(order)
    put(word + ".mat", m.file(every_kind(m), False))
    put(word + "_packed.mat", m.file(every_kind(m), True))
    put(word + "_one.mat", m.file([m.struct("s", ["x", "y"], [m.matrix("", matrix), m.sparse("", matrix)])], False))
little = Mat("<")
traces = np.round(np.sin(np.arange(120)[:, None] * (0.1 + 0.07 * np.arange(5)[None, :])) * 8192) / 8192
label = little.text("label", "traces of five cells")
put("same.mat", little.file([label, little.matrix("dff", traces)], True))
np.save(os.path.join(mat, "same.npy"), traces)
np.savez_compressed(os.path.join(mat, "same.npz"), ids=np.arange(5), dff=traces)
put("same.csv", "".join(",".join(repr(float(v)) for v in row) + "\n" for row in traces).encode())
put("bad_v73.mat", b"MATLAB 7.3 MAT-file, Platform: none".ljust(124) + b"\0\2IM".ljust(388, b"\0") + b"\x89HDF\r\n\x1a\n")
bomb = zlib.compress(little.pack("II", MATRIX, 0xFFFFFFF8) + little.matrix("x", matrix)[8:])
put("bad_bomb.mat", little.file([], False) + little.pack("II", COMPRESSED, len(bomb)) + bomb)
