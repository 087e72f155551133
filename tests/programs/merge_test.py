"""``iqa merge``; see also ``score/sharing_test.py``."""


def test_only_folders_of_shards_are_merged(iqa, tmp_path):
    refused = iqa("merge", f"--output={tmp_path}")
    assert refused.status == 1
    assert refused.stderr == (
        f"iqa merge: error: {tmp_path}: expected a folder that iqa score has begun to fill\n"
    )
    missing = iqa("merge")
    assert "expected --output; see --help" in missing.stderr
