"""The desktop window's first minute under Xvfb: python3 test_desktop.py DALEA_DESKTOP DALEA"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

desktop, cli = sys.argv[1:3]
root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
shots = os.path.join(root, "out", "screenshots")
os.makedirs(shots, exist_ok=True)


def show(*args, check=True):
    env = dict(os.environ, LIBGL_ALWAYS_SOFTWARE="1")
    command = ["xvfb-run", "-a", "-s", "-screen 0 1920x1080x24", desktop, *args]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300)
    if check and done.returncode != 0:
        raise SystemExit(f"{args}: exit {done.returncode}\n{done.stderr}")
    return done


def pixels(path):
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    raw = zlib.decompress(packed)
    rows = [raw[y * (3 * width + 1) + 1:(y + 1) * (3 * width + 1)] for y in range(height)]
    return width, height, rows


def colours(rows):
    return {rows[y][x:x + 3] for y in range(0, len(rows), 7) for x in range(0, len(rows[0]), 21)}


with tempfile.TemporaryDirectory() as scratch:
    expected = json.loads(subprocess.run(
        [cli, "run", os.path.join(root, "assets/experiments/quickstart.json"), "--json", "--quiet", "--out", scratch],
        capture_output=True, text=True, check=True).stdout)
    picture = os.path.join(shots, "desktop-light-1280x720.png")
    state = json.loads(show("--screenshot", picture, "--seconds", "15").stdout)
    assert state["finished"] and state["hash"] == expected["hash"], (state["phase"], state["hash"], expected["hash"])
    assert state["held_out"] == expected["loss"]["held_out"]
    assert state["audit"] == {"sign": 0, "mask": 0}
    width, height, rows = pixels(picture)
    assert (width, height) == (1280, 720)
    assert len(colours(rows)) > 40, "the window is not empty"
    m = state["widgets"]["matrix"]  # excitatory columns are red, inhibitory ones blue
    y = int(m["y"] + m["h"] / 2)
    line = [rows[y][3 * x:3 * x + 3] for x in range(int(m["x"]) + 2, int(m["x"] + m["w"]) - 2)]
    left, right = line[:len(line) // 2], line[-len(line) // 8:]
    assert sum(p[0] for p in left) > sum(p[2] for p in left), "excitatory is red"
    assert sum(p[0] for p in right) < sum(p[2] for p in right), "inhibitory is blue"

    dark = os.path.join(shots, "desktop-dark-1920x1080.png")
    state = json.loads(show("--screenshot", dark, "--seconds", "4", "--theme", "dark", "--size", "1920x1080",
                            os.path.join(scratch, "session.npz")).stdout)
    assert state["hash"] == expected["hash"], "a session of the command line opens"
    width, height, rows = pixels(dark)
    assert (width, height) == (1920, 1080) and rows[2][6] < 60, "dark"

    done = show("--size", "9x9", check=False)
    assert done.returncode == 2 and "--size" in done.stderr
    state = json.loads(show("--screenshot", os.path.join(scratch, "x.png"), "--seconds", "2", "/no/such.csv").stdout)
    assert any("/no/such.csv" in n["text"] for n in state["notices"]), state["notices"]

print("desktop: first minute, dark and large, session, errors: passed")
