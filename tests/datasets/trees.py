"""Copies of datasets for tests: trees in the official layouts, with empty or tiny images.

Each ``make_...`` writes the score files of a dataset and, with ``save_image``, every image that
they name, and returns the folder. Rows are tuples of the entries in the official score files.
``make_published`` makes a whole tree from one of the published score tables.

``save_image`` is called with the path of an image whose folder exists: :func:`touch` (the default)
makes an empty file, :func:`save_small` a readable image of 16x12 pixels, and the result of
:func:`links_to` a link to one file, the quickest way to thousands of images.
"""

import csv
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import openpyxl
import scipy.io
from PIL import Image

SaveImage = Callable[[Path], object]

LIVE_FOLDERS = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}

CSIQ_FOLDERS = {
    "noise": ("awgn", "AWGN"),
    "blur": ("blur", "BLUR"),
    "contrast": ("contrast", "contrast"),
    "fnoise": ("fnoise", "fnoise"),
    "jpeg": ("jpeg", "JPEG"),
    "jpeg 2000": ("jpeg2000", "jpeg2000"),
}
"""The workbook's word for a type -> its folder and the word in its files' names."""


def touch(path: Path) -> None:
    """Makes an empty file."""
    path.touch()


def save_small(path: Path) -> None:
    """Makes a gray image in the format of its suffix."""
    Image.new("RGB", (16, 12), (128, 128, 128)).save(path)


def links_to(image: Path) -> SaveImage:
    """A function that makes hard links to ``image``: writing to one writes to all."""
    return lambda path: os.link(image, path)


def make_tid(
    folder: Path,
    rows: Sequence[tuple[str, str]],
    *,
    deviations: Sequence[float] = (),
    save_image: SaveImage = touch,
) -> Path:
    """TID2008 or TID2013: rows (score, ``I01_01_1.bmp``), optionally a deviation for each."""
    _write_lines(folder / "mos_with_names.txt", map(" ".join, rows))
    if deviations:
        _write_lines(folder / "mos_std.txt", map(str, deviations))
    _save(folder / "distorted_images", (name for _, name in rows), save_image)
    _save(folder / "reference_images", (f"I{name[1:3]}.BMP" for _, name in rows), save_image)
    return folder


def make_kadid10k(
    folder: Path,
    rows: Sequence[tuple[str, str, object, object]],
    *,
    is_split: bool = False,
    save_image: SaveImage = touch,
) -> Path:
    """KADID-10k: rows (``I01_01_01.png``, ``I01.png``, score, variance).

    ``is_split`` makes ``distorted_images`` and ``reference_images`` instead of ``images``.
    """
    lines = [",".join(map(str, row)) for row in rows]
    _write_lines(folder / "dmos.csv", ["dist_img,ref_img,dmos,var", *lines])
    distorted, references = ("distorted_images", "reference_images") if is_split else ["images"] * 2
    _save(folder / distorted, (row[0] for row in rows), save_image)
    _save(folder / references, (row[1] for row in rows), save_image)
    return folder


def make_csiq(
    folder: Path,
    rows: Sequence[tuple[object, str, object, object, object]],
    *,
    save_image: SaveImage = touch,
) -> Path:
    """CSIQ as published: rows (image, type as in the workbook, level, deviation, score).

    The image ``1600`` is given as a number, as in the workbook.
    """
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "all_by_distortion"
    sheet = workbook.create_sheet("all_by_image")
    header = ("image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos")
    indices = list(CSIQ_FOLDERS)
    cells = [(row[0], indices.index(row[1]) + 1, *row[1:]) for row in rows]
    for row_number, row in enumerate([header, *cells], 4):
        for column_number, cell in enumerate(row, 4):
            sheet.cell(row_number, column_number, cell)
    folder.mkdir(parents=True, exist_ok=True)
    workbook.save(folder / "csiq.DMOS.xlsx")
    for image, kind, level, *_ in rows:
        subfolder, token = CSIQ_FOLDERS[kind]
        _save(folder / "dst_imgs" / subfolder, [f"{image}.{token}.{level}.png"], save_image)
    _save(folder / "src_imgs", (f"{row[0]}.png" for row in rows), save_image)
    return folder


def make_csiq_repacked(
    folder: Path,
    rows: Sequence[tuple[str, object]],
    *,
    distorted: str = "dst_imgs",
    save_image: SaveImage = touch,
) -> Path:
    """CSIQ as repacked: rows (``1600.AWGN.1.png``, score), all images in one folder."""
    _write_lines(folder / "csiq_label.txt", (f"{name} {score}" for name, score in rows))
    _save(folder / distorted, (name for name, _ in rows), save_image)
    _save(folder / "src_imgs", (f"{name.split('.')[0]}.png" for name, _ in rows), save_image)
    return folder


def make_live(
    folder: Path,
    rows: Mapping[str, tuple[str, float]],
    *,
    original: Mapping[str, float] | None = None,
    save_image: SaveImage = touch,
) -> Path:
    """LIVE: ``jp2k/img2.bmp`` -> (``rapids.bmp``, realigned score).

    Images that are not among ``rows`` are copies of some reference. ``original`` are the scores of
    the first publication; by default 1 more than the realigned ones. Deviations are a tenth of the
    scores.
    """
    names = [
        f"{part}/img{n}.bmp" for part, count in LIVE_FOLDERS.items() for n in range(1, count + 1)
    ]
    some_reference = next(iter(rows.values()))[0]
    references = [rows.get(name, (some_reference, 0.0))[0] for name in names]
    scores = np.array([[rows.get(name, ("", 0.0))[1] for name in names]])
    first = np.array(
        [[(original or {}).get(name, rows.get(name, ("", -1.0))[1] + 1) for name in names]]
    )
    orgs = np.array([[name not in rows for name in names]], np.uint8)
    for part in LIVE_FOLDERS:
        _save(
            folder / part,
            (name.split("/")[1] for name in names if name.startswith(f"{part}/")),
            save_image,
        )
    _save(folder / "refimgs", references, save_image)
    realigned = {"dmos_new": scores, "dmos_std": scores / 10, "orgs": orgs}
    scipy.io.savemat(folder / "dmos_realigned.mat", realigned)
    scipy.io.savemat(folder / "dmos.mat", {"dmos": first, "orgs": orgs})
    scipy.io.savemat(folder / "refnames_all.mat", {"refnames_all": _cells([references])})
    return folder


def make_livemd(
    folder: Path,
    rows: Sequence[tuple[int, str, float]],
    *,
    save_image: SaveImage = touch,
) -> Path:
    """LIVE multiply distorted: rows (part 1 or 2, ``NAME_....bmp``, score)."""
    for part, images in ((1, "blurjpeg"), (2, "blurnoise")):
        names = [name for number, name, _ in rows if number == part]
        contents = sorted({name.split("_")[0] for name in names})
        root = folder / f"Part {part}"
        _save(root / images, [*names, *(f"{content}.bmp" for content in contents)], save_image)
        lists = {
            "distimgs": _cells([[name] for name in names]),
            "refimgs": _cells([[f"{content}.bmp"] for content in contents]),
            "ref4dist": np.array([[contents.index(name.split("_")[0]) + 1] for name in names]),
        }
        scores = np.array([[score for number, _, score in rows if number == part]])
        scipy.io.savemat(root / "Imagelists.mat", lists)
        scipy.io.savemat(root / "Scores.mat", {"DMOSscores": scores, "Zscores": scores / 10})
    return folder


def make_pipal(
    folder: Path,
    rows: Sequence[tuple[str, object]],
    *,
    references: str = "Train_Ref",
    labels: str = "Train_Label",
    distorted: Sequence[str] = ("Distortion_1", "Distortion_2", "Distortion_3", "Distortion_4"),
    save_image: SaveImage = touch,
) -> Path:
    """PIPAL's training set: rows (``A0001_00_00.bmp``, score).

    The distorted images are spread over the folders ``distorted``.
    """
    contents = sorted({name.split("_")[0] for name, _ in rows})
    for content in contents:
        lines = [f"{name},{score}" for name, score in rows if name.startswith(f"{content}_")]
        _write_lines(folder / labels / f"{content}.txt", lines)
    for number, part in enumerate(distorted):
        _save(folder / part, (name for name, _ in rows[number :: len(distorted)]), save_image)
    _save(folder / references, (f"{content}.bmp" for content in contents), save_image)
    return folder


def make_pieapp(
    folder: Path,
    rows: Sequence[tuple[str, str, object]],
    *,
    save_image: SaveImage = touch,
) -> Path:
    """PieAPP's test set: rows (``ref_1``, ``distort_1_TYPE_inter_2.png``, score)."""
    contents = list(dict.fromkeys(content for content, _, _ in rows))
    header = "ref image, distorted image, score for distorted image"
    for content in contents:
        own = [(name, score) for owner, name, score in rows if owner == content]
        lines = [f"{content}.png,{name},{score}" for name, score in own]
        table = folder / "labels" / "test" / f"{content}_per_image_score.csv"
        _write_lines(table, [header, *lines])
        versions = [name for name, _ in own if not name.startswith("ref_")]
        _save(folder / "distorted_images" / "test" / content, versions, save_image)
        _save(folder / "reference_images" / "test", [f"{content}.png"], save_image)
    _write_lines(folder / "test_reference_list.txt", (f"{content}.png" for content in contents))
    return folder


def make_published(
    dataset: str, folder: Path, tables: Path, *, save_image: SaveImage = touch
) -> Path:
    """The whole tree of a dataset from its published scores.

    Args:
      dataset: ``tid2008``, ``tid2013``, ``kadid10k``, ``csiq`` or ``live``.
      folder: Folder to create.
      tables: Folder of the published tables.
      save_image: Function that makes an image; see the module.
    """
    file = {"kadid10k": "KADID-10k"}.get(dataset, dataset.upper())
    with (tables / f"{file}.txt").open() as lines:
        rows = [
            (row["dis_img_path"].split("/"), row["ref_img_path"].split("/")[-1], row["score"])
            for row in csv.DictReader(lines)
        ]
    if dataset == "live":
        live = {"/".join(path[-2:]): (reference, float(score)) for path, reference, score in rows}
        return make_live(folder, live, save_image=save_image)
    if dataset == "csiq":
        kinds = {token: kind for kind, (_, token) in CSIQ_FOLDERS.items()}
        csiq = [(*path[-1].split(".")[:3], float(score)) for path, _, score in rows]
        return make_csiq(
            folder,
            [
                (1600 if image == "1600" else image, kinds[token], int(level), 0.1, score)
                for image, token, level, score in csiq
            ],
            save_image=save_image,
        )
    if dataset == "kadid10k":
        kadid = [(path[-1], reference, score, "1.0") for path, reference, score in rows]
        return make_kadid10k(folder, kadid, save_image=save_image)
    return make_tid(folder, [(score, path[-1]) for path, _, score in rows], save_image=save_image)


def _save(folder: Path, names: Iterable[str], save_image: SaveImage) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(names):
        save_image(folder / name)


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def _cells(rows: Sequence[Sequence[str]]) -> np.ndarray:
    """A cell array of texts."""
    cells = np.empty((len(rows), len(rows[0]) if rows else 0), object)
    for row, texts in enumerate(rows):
        cells[row] = texts
    return cells
