#!/usr/bin/python3
"""HDF5 files in every layout, written by h5py: make_hdf5_fixtures.py FOLDER. FOLDER/hdf5/NAME.h5, and NAME.txt: a line
for each dataset, with its path, its values' type here, its shape, and its values as hexadecimal doubles or as texts."""
import os
import sys

import h5py
import numpy as np

folder = os.path.join(sys.argv[1], "hdf5")
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(3)
matrix = np.arange(3)[:, None] * 10 + np.arange(4)[None, :]
DTYPES = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "|u1", "<u2", ">u2",
          "<u4", ">u4", "<u8", ">u8"]


def expected(file):
    """What h5py itself reads."""
    lines = []

    def visit(name, d):
        if not isinstance(d, h5py.Dataset) or d.shape is None:
            return
        text = h5py.check_string_dtype(d.dtype)
        if not text and d.dtype.kind not in "fiub":
            return
        values = d.asstr()[()] if text else d[()]
        flat = np.asarray(values).reshape(-1)
        words = [str(v) for v in flat] if text else [float(v).hex() for v in flat]
        lines.append("\t".join(["/" + name, "text" if text else "number", " ".join(map(str, d.shape))] + words))

    file.visititems(visit)
    return "\n".join(lines) + "\n"


def make(name, fill, **options):
    path = os.path.join(folder, name + ".h5")
    with h5py.File(path, "w", **options) as f:
        fill(f)
    with h5py.File(path, "r") as f, open(os.path.join(folder, name + ".txt"), "w") as out:
        out.write(expected(f))


def types(f):
    for d in DTYPES:
        a = matrix.astype(d)
        if d[1] in "iu" and d[2] == "8":
            a[0, 0] = np.iinfo(d).max
        if d[1] == "f":
            a[0] = [np.nan, np.inf, -np.inf, -0.0]
            a[1, 0] = np.finfo(d).tiny / 4
        f[d.replace("<", "l_").replace(">", "b_").replace("|", "n_")] = a
    f["truth"] = matrix % 2 == 1
    f["fixed"] = np.array(["one", "three", ""], dtype="S5")
    f["variable"] = np.array(["a", "", "later \u00e9"], dtype=object).astype(h5py.string_dtype())
    f["one_text"] = "alone"
    f["scalar"] = 2.5
    f["enum"] = np.array([0, 7], dtype=h5py.enum_dtype({"A": 0, "B": 7}, basetype="i2"))
    f["complex"] = matrix + 1j
    f["table"] = np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")])
    f["opaque"] = np.array([b"ab"], dtype="V2")
    f["reference"] = np.array([f["scalar"].ref], dtype=h5py.ref_dtype)
    f["lists"] = np.array([np.arange(2), np.arange(3)], dtype=object).astype(h5py.vlen_dtype("i4"))
    f["none"] = h5py.Empty("f8")
    f["zero_rows"] = np.zeros((0, 4))
    f["rank"] = np.arange(32.0).reshape((2,) * 5 + (1,) * 27)
    f["array_type"] = np.zeros(2, dtype=np.dtype(("f8", (3,))))


def layouts(f):
    big = np.round(rng.normal(size=(57, 23)) * 64) / 64
    f.create_dataset("contiguous", data=big)
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    d = h5py.h5d.create(f.id, b"compact", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((3, 4)), compact)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, matrix.astype("f8"))
    for name, options in (("plain", {}), ("gzip", {"compression": "gzip"}), ("lzf", {"compression": "lzf"}),
                          ("shuffle", {"shuffle": True, "compression": "gzip"}), ("sum", {"fletcher32": True}),
                          ("all", {"shuffle": True, "compression": "gzip", "fletcher32": True}),
                          ("lzf_all", {"shuffle": True, "compression": "lzf", "fletcher32": True})):
        f.create_dataset("fixed_" + name, data=big, chunks=(10, 7), **options)
        f.create_dataset("one_" + name, data=big, chunks=big.shape, **options)
        f.create_dataset("grows_" + name, data=big, chunks=(4, 7), maxshape=(None, 23), **options)
        f.create_dataset("widens_" + name, data=big, chunks=(4, 3), maxshape=(60, None), **options)
        f.create_dataset("both_" + name, data=big, chunks=(4, 7), maxshape=(None, None), **options)
    f.create_dataset("cube", data=np.arange(5 * 6 * 7).reshape(5, 6, 7), chunks=(2, 3, 4), compression="gzip")
    f.create_dataset("sum_odd", data=np.arange(13, dtype="u1"), chunks=(5,), fletcher32=True)
    f.create_dataset("bounded", data=big, chunks=(10, 7), maxshape=(200, 90), compression="gzip")
    f.create_dataset("noise_lzf", data=rng.integers(0, 256, 4000).astype("u1"), chunks=(1000,), compression="lzf")
    f.create_dataset("runs_lzf", data=np.repeat(np.arange(8), 700), chunks=(2000,), compression="lzf")
    sparse = f.create_dataset("fill", (40, 30), "f4", chunks=(8, 8), fillvalue=-1.5, compression="gzip")
    sparse[9:11, 20] = 3
    f.create_dataset("fill_text", (3,), "S4", fillvalue=b"none")
    f.create_dataset("never", (5, 6), "i2", fillvalue=7)
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)  # version 4: the implicit index
    early.set_chunk((2, 3))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    d = h5py.h5d.create(f.id, b"early", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((5, 7)), early)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(35, dtype="i4").reshape(5, 7))
    shrunk = f.create_dataset("shrunk", data=big, chunks=(4, 7), maxshape=(None, None))
    shrunk.resize((20, 10))


def long_indices(f):
    """Paged fixed and extensible arrays, deep trees."""
    n = 9000
    f.create_dataset("fixed", data=np.arange(n, dtype="i2"), chunks=(2,))
    f.create_dataset("grows", data=np.arange(n, dtype="i2"), chunks=(1,), maxshape=(None,))
    f.create_dataset("both", data=np.arange(n, dtype="i2").reshape(90, 100), chunks=(1, 2), maxshape=(None, None))
    d = f.create_dataset("holes", (40000,), "i4", chunks=(2,), maxshape=(None,), fillvalue=5, compression="gzip")
    d[100:110] = 1
    d[30001:30020] = 2
    d = f.create_dataset("fixed_holes", (40000,), "i4", chunks=(2,), fillvalue=5)
    d[100:110] = 1
    d[30001:30020] = 2
    f.create_dataset("far", (10,), "i4", chunks=(2,), maxshape=(None,))
    f["far"].resize((300000,))
    f["far"][299990:] = 4


def groups(f):
    for k in range(12):
        g = f.create_group("g%d/inner" % k)
        g["x"] = np.full((2, 3), k)
    for k in range(150):
        f["many/unit_%03d_with_a_long_name" % k] = np.arange(3) + k
    f["many"].attrs["about"] = "150"
    f["soft"] = h5py.SoftLink("/g3/inner/x")
    f["g1/near"] = h5py.SoftLink("inner/x")
    f["group_link"] = h5py.SoftLink("/g2")
    f["through"] = h5py.SoftLink("/group_link/inner/x")
    f["nothing"] = h5py.SoftLink("/nowhere")
    f["circle_a"] = h5py.SoftLink("/circle_b")
    f["circle_b"] = h5py.SoftLink("/circle_a")
    f["outside"] = h5py.ExternalLink("other.h5", "/x")
    f["g0/up"] = f["/"]  # hard links in a circle
    f["g0/inner/self"] = f["g0/inner"]
    f["again"] = f["g4/inner/x"]
    d = f["g5/inner/x"]
    d.attrs["rate"] = 12.5
    d.attrs["unit"] = "Hz"
    d.attrs["fixed"] = np.bytes_("abc")
    d.attrs["list"] = np.arange(6, dtype=">i2").reshape(2, 3)
    d.attrs["texts"] = ["a", "bc"]
    d.attrs["link"] = f["again"].ref
    d.attrs["none"] = h5py.Empty("f4")
    d.attrs["yes"] = True
    many = f["g6/inner/x"]
    for k in range(60):
        many.attrs["attribute_%02d" % k] = k * 1.5
    many.attrs["long"] = np.arange(6000, dtype="i1")  # stands alone in the heap
    ordered = f.create_group("ordered", track_order=True)
    for name in ("z", "a", "m"):
        ordered[name] = np.zeros(1)
    f["type"] = np.dtype("f8")
    typed = f.create_dataset("typed", (2,), f["type"])
    typed[...] = [1, 2]


def matlab(f):
    """As save(..., '-v7.3') writes: columns first, classes in attributes."""
    def put(at, name, values, kind, **attrs):
        d = at.create_dataset(name, data=np.asarray(values).T, chunks=True if np.ndim(values) else None)
        d.attrs["MATLAB_class"] = np.bytes_(kind)
        for k, v in attrs.items():
            d.attrs[k] = v
        return d
    put(f, "dff", matrix.astype("f8"), "double")
    put(f, "label", np.array([[ord(c) for c in "five!"]], "u2"), "char", MATLAB_int_decode=np.int32(2))
    put(f, "truth", (matrix % 2).astype("u1"), "logical", MATLAB_int_decode=np.int32(1))
    put(f, "empty", np.array([0, 4], "u8"), "double", MATLAB_empty=np.uint8(1))
    s = f.create_group("s")
    s.attrs["MATLAB_class"] = np.bytes_("struct")
    put(s, "trace", matrix[:2].astype("f4"), "single")
    thin = f.create_group("thin")
    thin.attrs["MATLAB_class"] = np.bytes_("double")
    thin.attrs["MATLAB_sparse"] = np.uint64(3)
    thin["data"], thin["ir"], thin["jc"] = np.ones(2), np.arange(2, dtype="u8"), np.arange(5, dtype="u8")
    refs = f.create_group("#refs#")
    put(refs, "a", np.zeros((50, 60)), "double")
    cell = f.create_dataset("c", data=np.array([[refs["a"].ref]], dtype=h5py.ref_dtype))
    cell.attrs["MATLAB_class"] = np.bytes_("cell")


def small(f):
    f.create_dataset("dff", data=matrix.astype("f4"), chunks=(2, 2), compression="gzip", shuffle=True, fletcher32=True)
    f["g/names"] = np.array(["a", "bc"], dtype=object).astype(h5py.string_dtype())
    f["g"].attrs["rate"] = 2.0
    f["link"] = h5py.SoftLink("/g")


for word, libver in (("earliest", ("earliest", "v108")), ("latest", "latest")):
    for fill in (types, layouts, long_indices, groups, small):
        make(fill.__name__ + "_" + word, fill, libver=libver)
make("user_block", small, userblock_size=1024)
make("matlab", matlab, userblock_size=512)
head = b"MATLAB 7.3 MAT-file, Platform: none".ljust(116) + b"\0" * 8 + b"\0\2IM"
with open(os.path.join(folder, "matlab.h5"), "r+b") as f:
    f.write(head)
make("traces", lambda f: [f.create_dataset(n, data=np.arange(np.prod(s)).reshape(s)) for n, s in (
    ("a/ids", (90, 80)), ("a/F", (20, 5)), ("a/dff", (30, 5)), ("b/vector", (7,)))])


# 2^60 values, which nobody wrote.
def huge(f):
    f.create_dataset("huge", (2**30, 2**30), "u1", chunks=(2**10, 2**10), fillvalue=1)
    f.create_dataset("wide", (2**40,), "f8", chunks=(2**28,), compression="gzip")


make_huge = os.path.join(folder, "huge.h5")
with h5py.File(make_huge, "w", libver="latest") as f:
    huge(f)
with h5py.File(os.path.join(folder, "filters.h5"), "w") as f:  # refused by name
    f.create_dataset("scaleoffset", data=np.arange(100), chunks=(50,), scaleoffset=4)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((50,))
    plist.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    h5py.h5d.create(f.id, b"blosc", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((100,)), plist)
    layout = h5py.VirtualLayout((4, 3), "f8")
    layout[0] = h5py.VirtualSource("other.h5", "x", (3,))
    f.create_virtual_dataset("virtual", layout)
    f.create_dataset("elsewhere", (3,), "f8", external=[("values.bin", 0, 24)])
with h5py.File(os.path.join(folder, "bomb.h5"), "w") as f:  # 64 MiB in 64 KiB: a thousandfold, and read
    f.create_dataset("zeros", data=np.zeros((1024, 8192)), chunks=(1024, 8192), compression="gzip")
