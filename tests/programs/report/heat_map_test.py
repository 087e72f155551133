from iqa_jax.programs.report.heat_map import ALL, METRICS, heat_maps


def place(model, layer="", index="", readout="", **more):
    return {"model": model, "layer": layer, "layer_index": index, "readout": readout, **more}


PLACES = [
    place("net", "b", "2", "l2"),
    place("net", "a", "1", "l2"),
    place("net", "a", "1", "unit"),
    place("net", "a+b", "", "l2"),
    place("pixels", "input", "0", "l2"),
    place("psnr"),
]
CORRELATIONS = [
    {**each, "column": f"column {number}", "srcc": f"0.{number + 1}"}
    for number, each in enumerate(PLACES)
]
GROUPS = [
    {**each, "kind": kind, "group": group, "srcc": "0.25" if each["model"] == "psnr" else "-0.5"}
    for each in PLACES
    for kind, group in (("distortion", "blur"), ("distortion", "noise"), ("level", "1"))
]


def maps():
    found = heat_maps(CORRELATIONS, GROUPS, {ALL: 0.9, "blur": 0.8, "noise": None}.get)
    return {each.name: each for each in found}


def test_a_map_for_each_network_and_readout_and_one_of_the_metrics():
    assert [*maps()] == ["net, l2", "net, unit", "net, l2, layers joined", METRICS]


def test_layers_go_from_the_first_to_the_last():
    found = maps()["net, l2"]
    assert found.columns == ["a", "b"]
    assert found.columns_of_scores == ["column 1", "column 0"]
    assert found.rows == [ALL, "blur", "noise"]
    assert found.cells == [[0.2, 0.1], [-0.5, -0.5], [-0.5, -0.5]]
    assert found.ceilings == [0.9, 0.8, None]


def test_the_pixels_are_among_the_metrics():
    found = maps()[METRICS]
    assert found.columns == ["pixels l2", "psnr"]
    assert found.cells[1] == [-0.5, 0.25]


def test_joined_layers_are_named_by_their_ends():
    assert maps()["net, l2, layers joined"].columns == ["a to b"]


def test_what_is_missing_stays_missing():
    found = heat_maps(CORRELATIONS, [], lambda group: None)
    assert found[0].rows == [ALL]
    rows = [{**each, "srcc": ""} for each in CORRELATIONS]
    assert heat_maps(rows, [], lambda group: None)[0].as_json()["cells"] == [[None, None]]
