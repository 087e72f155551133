import pytest
from datasets import trees

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.errors import DatasetError

ROWS = [
    ("ref_1", "distort_1_additive_noise_inter_2.png", "1.25"),
    ("ref_1", "distort_1_blur_intra_11.png", "4.5"),
    ("ref_20", "distort_20_blur_inter_1.png", "-0.1"),
]


@pytest.fixture
def tree(tmp_path):
    return trees.make_pieapp(tmp_path, ROWS, save_image=trees.save_small)


def load(tree, **options):
    return load_dataset("pieapp", data_dir=tree, **{"allow_partial": True, **options})


def write_rows(tree, *rows):
    header = "ref image, distorted image, score for distorted image"
    path = tree / "labels" / "test" / "ref_20_per_image_score.csv"
    path.write_text("\n".join([header, *rows]) + "\n")


def test_reads_the_test_scores(tree):
    table = load(tree)
    inspect(table)
    assert not table.higher_is_better
    first, second, third = table.pairs
    assert first.reference == "reference_images/test/ref_1.png"
    assert first.distorted == ("distorted_images/test/ref_1/distort_1_additive_noise_inter_2.png")
    assert (first.distortion, first.level) == ("additive noise", "")
    assert (second.distortion, third.distortion) == ("blur", "blur")
    assert third.reference_id == "ref_20"
    assert [pair.score for pair in table.pairs] == [1.25, 4.5, -0.1]


def test_the_headers_begin_with_spaces(tree):
    path = tree / "labels" / "test" / "ref_1_per_image_score.csv"
    assert path.read_text().startswith("ref image, distorted image, score for distorted image\n")
    path.write_text(path.read_text().replace(", ", ","))
    assert len(load(tree).pairs) == len(ROWS)


def test_a_reference_compared_with_itself_is_skipped(tmp_path):
    rows = [("ref_1", "ref_1.png", "0"), *ROWS]
    assert len(load(trees.make_pieapp(tmp_path, rows)).pairs) == len(ROWS)


def test_other_sets_are_ignored(tree):
    (tree / "labels" / "train").mkdir()
    (tree / "labels" / "train" / "ref_3_pairwise_labels.csv").write_text("a,b,c,d,e\n")
    (tree / "labels" / "test" / "ref_1_pairwise_labels.csv").touch()
    assert len(load(tree).pairs) == len(ROWS)


def test_names_in_another_case(tree):
    (tree / "labels").rename(tree / "Labels")
    (tree / "distorted_images" / "test" / "ref_1").rename(tree / "distorted_images/test/Ref_1")
    table, _ = inspect(load(tree))
    assert table.pairs[0].distorted.startswith("distorted_images/test/Ref_1/")


@pytest.mark.parametrize(
    "name",
    [
        "labels",
        "labels/test",
        "labels/test/ref_20_per_image_score.csv",
        "reference_images",
        "distorted_images/test/ref_1",
        "test_reference_list.txt",
    ],
)
def test_missing_parts_of_the_layout_are_named(tree, name):
    (tree / name).rename((tree / name).with_name("elsewhere"))
    with pytest.raises(DatasetError, match=f"expected {name.split('/')[-1]} in it, found .*else"):
        load(tree)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("ref_1.png,distort_20_blur_inter_1.png,1", "expected the reference ref_20.png, found ref"),
        ("ref_20.png,../x.png,1", "expected file names without folders, found '../x.png'"),
        ("ref_20.png", "expected file names without folders, found ''"),
    ],
)
def test_invalid_rows(tree, row, complaint):
    write_rows(tree, row)
    with pytest.raises(DatasetError, match=f"ref_20_per_image_score.csv: {complaint}"):
        load(tree)


def test_a_list_that_leads_to_another_folder(tree):
    (tree / "test_reference_list.txt").write_text("ref_1.png\n../ref_2.png\n")
    with pytest.raises(DatasetError, match="test_reference_list.txt: expected file names without"):
        load(tree)


def test_a_score_that_is_text_is_reported_with_its_row(tree):
    write_rows(tree, "ref_20.png,distort_20_blur_inter_1.png,much")
    with pytest.raises(DatasetError, match="row 3: .*distort_20_blur_inter_1.png: has no finite"):
        inspect(load(tree))


def test_bad_score_files(tree):
    path = tree / "labels" / "test" / "ref_20_per_image_score.csv"
    path.write_text("ref image,image,score\n")
    with pytest.raises(DatasetError, match="has no column distorted image, score for distorted"):
        load(tree)
    path.write_text("")
    with pytest.raises(DatasetError, match="image_score.csv: has no column .* found nothing"):
        load(tree)


def test_the_published_number(tmp_path, empty_image):
    rows = [
        (f"ref_{content}", f"distort_{content}_type{number}_inter_1.png", number)
        for content in range(1, 41)
        for number in range(15)
    ]
    tree = trees.make_pieapp(tmp_path, rows, save_image=empty_image)
    assert len(load(tree, allow_partial=False, score_direction="lower").pairs) == 600
    (tree / "test_reference_list.txt").write_text("ref_1.png\n")
    with pytest.raises(DatasetError, match=r"600 pairs, .* lists 15; .*set allow_partial"):
        load(tree, allow_partial=False)
