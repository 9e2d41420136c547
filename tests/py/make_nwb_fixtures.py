#!/usr/bin/python3
"""Small NWB files, written group by group with h5py: make_nwb_fixtures.py FOLDER makes FOLDER/nwb.

Values: dF/F d[t, r] = 10 t + r + (t % 3), fluorescence 4 times that with a conversion of 0.25.
"""
import os
import sys

import h5py
import numpy as np

folder = os.path.join(sys.argv[1], "nwb")
os.makedirs(folder, exist_ok=True)
frames, rois = 12, 3
t = np.arange(frames)[:, None]
dff = 10.0 * t + np.arange(rois) + t % 3


def typed(parent, name, kind):
    group = parent.create_group(name)
    group.attrs["neurodata_type"] = kind
    group.attrs["namespace"] = "hdmf-common" if kind in ("DynamicTable", "VectorIndex") else "core"
    return group


def new(name):
    f = h5py.File(os.path.join(folder, name), "w")
    f.attrs["nwb_version"] = "2.6.0"
    f.attrs["neurodata_type"] = "NWBFile"
    f.attrs["namespace"] = "core"
    typed(f, "processing", "none")
    return f


def series(parent, values, conversion=1.0, rate=None, times=None, rows=None):
    group = typed(parent, "RoiResponseSeries", "RoiResponseSeries")
    group["data"] = values
    group["data"].attrs["conversion"] = conversion
    group["data"].attrs["unit"] = "lumens"
    if rate:
        group["starting_time"] = 5.0
        group["starting_time"].attrs["rate"] = rate
        group["starting_time"].attrs["unit"] = "seconds"
    else:
        group["timestamps"] = times
        group["timestamps"].attrs["interval"] = 1
    if rows is not None:
        group["rois"] = np.array(rows)
        group["rois"].attrs["neurodata_type"] = "DynamicTableRegion"
    return group


def units(f, spikes):
    group = typed(f, "units", "Units")
    group["spike_times"] = np.concatenate(spikes)
    group["spike_times_index"] = np.cumsum([len(s) for s in spikes]).astype("u1")
    group["id"] = np.array([40, 51])


spikes = [np.array([1.02, 1.03, 1.31, 1.55]), np.array([1.1, 1.25, 1.26, 1.27, 1.9])]

f = new("both.nwb")
ophys = typed(f["processing"], "ophys", "ProcessingModule")
series(typed(ophys, "Fluorescence", "Fluorescence"), (4 * dff).astype("i2"), 0.25, times=np.arange(frames) * 0.05)
series(typed(ophys, "DfOverF", "DfOverF"), dff.astype("f4"), rate=20.0, rows=[0, 2, 1])
typed(typed(ophys, "ImageSegmentation", "ImageSegmentation"), "PlaneSegmentation", "PlaneSegmentation")["id"] = [70, 80, 90]
units(f, spikes)
raw = typed(typed(f, "acquisition", "none"), "lick", "TimeSeries")
raw["data"] = dff[:, 0]
raw["starting_time"] = 0.0
raw["starting_time"].attrs["rate"] = 50.0
f.close()

f = new("turned.nwb")  # ROI x time, as some writers have it, at uneven times
series(typed(typed(f["processing"], "ophys", "ProcessingModule"), "Fluorescence", "Fluorescence"), dff.T,
       times=np.cumsum([0.1] * 6 + [0.3] + [0.1] * 5))
f.close()

f = new("units.nwb")
units(f, spikes)
f.close()

f = new("bad_units.nwb")
units(f, spikes)
f["units"]["spike_times_index"][...] = [4, 200]
f.close()

f = new("far_units.nwb")
units(f, [np.array([0.0, 1e12]), np.array([3.0])])
f.close()

new("empty.nwb").close()
