"""iqa score on files that are not what they seem: a clear reason for each, the others scored."""

import csv
import os
import struct
import zlib

import numpy as np
import pytest
from image_files import tiff
from PIL import Image

GOOD = "Bilder mit Umlaut ä/größe 1.png"

# The file, and what its column 'error' says; nothing where it is scored.
CASES = {
    GOOD: "",
    "truncated.png": "truncated.png: is damaged or cut short",
    "text.png": "text.png: is not an image",
    "one.png": "",
    "bomb.png": "bomb.png: has more than the limit of 80,000,000 pixels",
    "palette.gif": "",
    "cmyk.jpg": "cmyk.jpg: has the colour mode CMYK; convert it to RGB",
    "deep.tif": "",
    "animated.gif": "animated.gif: holds several frames",
    "folder.png": "folder.png: is a folder, not an image",
    "empty.png": "empty.png: is an empty file",
    "missing.png": "missing.png: there is no such file",
    "pipe.png": "pipe.png: is not a regular file but a pipe",
    "itself.png": "itself.png: cannot be read",
    "cut.jpg": "cut.jpg: is damaged or cut short",
    "signed.tif": "signed.tif: has samples that are not unsigned integers",
    "exif.webp": "exif.webp: has a damaged header",
}


@pytest.fixture
def folder(tmp_path, rng):
    photo = Image.fromarray(rng.integers(0, 256, (24, 20, 3)).astype(np.uint8))
    (tmp_path / GOOD).parent.mkdir()
    photo.save(tmp_path / GOOD)
    data = (tmp_path / GOOD).read_bytes()
    (tmp_path / "truncated.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.png").write_text("no image")
    photo.resize((1, 1)).save(tmp_path / "one.png")
    (tmp_path / "bomb.png").write_bytes(bomb(20000))
    photo.convert("P").save(tmp_path / "palette.gif")
    photo.convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(rng.integers(0, 2**16, (24, 20)).astype(np.uint16)).save(tmp_path / "deep.tif")
    photo.save(tmp_path / "animated.gif", save_all=True, append_images=[photo.rotate(90)])
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "itself.png").symlink_to("itself.png")
    smooth = Image.linear_gradient("L").resize((24, 20)).convert("RGB")
    smooth.save(tmp_path / "cut.jpg")
    data = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[:-20])
    shape = {"width": 20, "height": 24, "bits": [8]}
    signed = tiff([bytes(480)], **shape, tags={262: [1], 339: [2]})
    (tmp_path / "signed.tif").write_bytes(signed)
    photo.save(tmp_path / "exif.webp", exif=b"Exif\0\0no directory of a TIFF")
    rows = "".join(f"{name},{name}\n" for name in CASES)
    (tmp_path / "pairs.csv").write_text(f"reference,distorted\n{rows}")
    return tmp_path


def bomb(side):
    """A PNG of a few hundred kilobytes that says to be ``side`` pixels high and wide."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side * (1 + side // 8)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.fixture
def score(iqa):
    return lambda *flags: iqa("score", "--metrics=psnr", *flags)


def test_each_file_gets_its_score_or_its_reason(score, folder):
    output = folder / "ergebnisse ö" / "scores.csv"
    done = score(f"--pairs={folder / 'pairs.csv'}", f"--output={output}")
    assert done.status == 2
    assert "could not be scored in full" in done.stderr
    with output.open() as file:
        rows = {row["distorted"]: row for row in csv.DictReader(file)}
    for name, reason in CASES.items():
        assert (reason in rows[name]["error"]) if reason else not rows[name]["error"], name
        assert rows[name]["psnr"] == ("" if reason else "100"), name


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("folder.png", "folder.png: is a folder; expected the name of a CSV file"),
        ("text.png/scores.csv", "text.png"),
        ("text.png", "already exists and was not made by this program"),
        ("/proc/nowhere/scores.csv", "/proc/nowhere"),
    ],
)
def test_output_that_cannot_be_written(score, folder, output, complaint):
    done = score(f"--pairs={folder / 'pairs.csv'}", f"--output={folder / output}")
    assert done.status == 1
    assert done.stderr.startswith("iqa score: error: ")
    assert complaint in done.stderr
    assert (folder / "text.png").read_text() == "no image"


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--reference=one.png", "--pairs=b.csv"], "expected --reference and --distorted, or"),
        (["--pairs=."], "found a folder at ."),
        (["--reference_dir=text.png", "--distorted_dir=."], "text.png: is a file; expected a fold"),
        (["--reference=one.png", "--distorted=one.png", "--maps_dir=m"], "--maps_dir: none of"),
        (["stray"], "expected flags only, got stray"),
    ],
)
def test_mistakes_end_with_one_line(score, folder, flags, complaint, monkeypatch):
    monkeypatch.chdir(folder)
    done = score(*flags)
    assert done.status == 1
    assert done.stderr.startswith(f"iqa score: error: {complaint}")
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "m").exists()
