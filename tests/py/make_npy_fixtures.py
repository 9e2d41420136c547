#!/usr/bin/python3
"""NPY and NPZ files of every version, order, byte order and real dtype, written by numpy: make_npy_fixtures.py FOLDER.

Each holds the matrix m[i, j] = 10 i + j, 3 x 4 (booleans: odd or even).
"""
import os
import sys
import warnings

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
