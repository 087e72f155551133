import pytest
from datasets import trees

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.errors import DatasetError

ROWS = [
    ("A0001_00_00.bmp", "1520.0648"),
    ("A0001_06_11.bmp", "916.7"),
    ("A0002_03_01.bmp", "1836"),
    ("A0002_03_02.bmp", "1400.5"),
    ("A0002_04_00.bmp", "1401.5"),
]


@pytest.fixture
def tree(tmp_path):
    return trees.make_pipal(tmp_path, ROWS, save_image=trees.save_small)


def load(tree, **options):
    return load_dataset("pipal", data_dir=tree, **{"allow_partial": True, **options})


def test_reads_the_official_layout(tree):
    table = load(tree)
    inspect(table)
    assert table.higher_is_better
    assert table.target == "Elo rating"
    assert [pair.distorted for pair in table.pairs] == [
        "Distortion_1/A0001_00_00.bmp",
        "Distortion_2/A0001_06_11.bmp",
        "Distortion_3/A0002_03_01.bmp",
        "Distortion_4/A0002_03_02.bmp",
        "Distortion_1/A0002_04_00.bmp",
    ]
    assert [pair.score for pair in table.pairs] == [1520.0648, 916.7, 1836.0, 1400.5, 1401.5]
    pair = table.pairs[1]
    assert (pair.reference, pair.reference_id) == ("Train_Ref/A0001.bmp", "A0001")
    assert (pair.distortion, pair.level) == ("class 06", "")


@pytest.mark.parametrize(
    "layout",
    [
        {"distorted": ["Dist_Imgs"]},
        {"distorted": ["Train_Dist"]},
        {"distorted": ["train_dist"], "labels": "train_label", "references": "train_ref"},
        {
            "references": "Reference_train",
            "labels": "MOS_Scores_train",
            "distorted": [f"Distortion/Distortion_{n}" for n in (1, 2, 3, 4)],
        },
        {
            "references": "training/Reference_train",
            "labels": "training/MOS_Scores_train",
            "distorted": [f"training/Distortion/Distortion_{n}" for n in (1, 2, 3, 4)],
        },
    ],
)
def test_layouts_found_in_the_wild(tmp_path, layout):
    trees.make_pipal(tmp_path, ROWS, save_image=trees.save_small, **layout)
    table, _ = inspect(load(tmp_path))
    assert [pair.score for pair in table.pairs] == [float(score) for _, score in ROWS]


@pytest.mark.parametrize(
    ("folder", "complaint"),
    [
        ("Dist_Imgs", "has Dist_Imgs and Distortion_1, but only one"),
        ("Reference_train", "has Train_Ref and Reference_train, but only one"),
        ("MOS_Scores_train", "has Train_Label and MOS_Scores_train, but only one"),
    ],
)
def test_two_layouts_in_one_folder(tree, folder, complaint):
    (tree / folder).mkdir()
    with pytest.raises(DatasetError, match=complaint):
        load(tree)


def test_an_image_in_two_folders(tree):
    trees.save_small(tree / "Distortion_3" / "a0001_00_00.bmp")
    with pytest.raises(DatasetError, match="Distortion_1/A0001_00_00.bmp, Distortion_3/a0001_00"):
        load(tree)


def test_a_missing_image_is_named(tree):
    (tree / "Distortion_3" / "A0002_03_01.bmp").unlink()
    with pytest.raises(DatasetError, match="row 3: .*A0002_03_01.bmp: there is no such file"):
        inspect(load(tree))


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("Train_Label", "expected Train_Label or MOS_Scores_train in it"),
        ("Train_Ref", "expected Train_Ref or Reference_train in it"),
    ],
)
def test_missing_parts_of_the_layout_are_named(tree, folder, expected):
    (tree / folder).rename(tree / "elsewhere")
    with pytest.raises(DatasetError, match=f"{expected}, found .*elsewhere"):
        load(tree)


def test_no_distorted_images(tree):
    for number in (1, 2, 3, 4):
        (tree / f"Distortion_{number}").rename(tree / f"other_{number}")
    with pytest.raises(DatasetError, match="Dist_Imgs or Distortion or Distortion_1 in it, found"):
        load(tree)


@pytest.mark.parametrize(
    "row", ["A0001_00_00.bmp", "A0001_00_00.bmp 1500", "../A0001_00_00.bmp,1500", "A0001.bmp,1500"]
)
def test_malformed_rows_are_listed(tree, row):
    (tree / "Train_Label" / "A0002.txt").write_text(f"A0002_00_00.bmp,1500\n{row}\n")
    with pytest.raises(DatasetError, match=r"A0002.txt: 1 malformed row; expected A0001_00"):
        load(tree)


def test_a_score_that_is_text_is_reported_with_its_row(tree):
    (tree / "Train_Label" / "A0002.txt").write_text("A0002_03_01.bmp,high\n")
    with pytest.raises(DatasetError, match="row 3: .*A0002_03_01.bmp: has no finite score"):
        inspect(load(tree))


def test_label_files(tree):
    (tree / "Train_Label" / "._A0001.txt").write_bytes(b"\xff\xfe")
    (tree / "Train_Label" / "readme.md").touch()
    assert len(load(tree).pairs) == len(ROWS)
    (tree / "Train_Label" / "A0002.txt").write_text("")
    with pytest.raises(DatasetError, match="A0002.txt: is empty"):
        load(tree)
    for path in (tree / "Train_Label").iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match="Train_Label: expected tables such as A0001.txt"):
        load(tree)


def test_the_published_number(tmp_path):
    rows = [
        (f"A{content:04d}_{number // 20:02d}_{number % 20:02d}.bmp", 1400 + number)
        for content in range(200)
        for number in range(116)
    ]
    tree = trees.make_pipal(tmp_path, rows, save_image=lambda path: None)
    assert len(load(tree, allow_partial=False, score_direction="higher").pairs) == 23200
    (tree / "Train_Label" / "A0007.txt").unlink()
    with pytest.raises(DatasetError, match=r"23200 pairs, .* lists 23084; .*set allow_partial"):
        load(tree, allow_partial=False)
