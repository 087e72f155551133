"""Building the demo dataset as a user runs it."""


def test_building_twice(iqa, tmp_path):
    flag = f"--data_dir={tmp_path / 'demo ö'}"
    first, second = iqa("demo", flag), iqa("demo", flag)
    assert first.status == second.status == 0
    assert first.stdout == f"{tmp_path / 'demo ö'}: built\n"
    assert second.stdout == f"{tmp_path / 'demo ö'}: already there\n"
