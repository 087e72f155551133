"""Cells of the heat map, and what they lead to."""

import csv

from programs.report.made_up import column


def test_a_cell_of_the_heat_map_plots_its_pairs(view, rows, results):
    with (results / "correlations_by_distortion.csv").open(newline="") as file:
        found = {
            (row["layer"], row["group"]): float(row["srcc"])
            for row in csv.DictReader(file)
            if row["model"] == "net" and row["kind"] == "distortion"
        }
    layers = view.texts("#heat-map thead th")
    assert layers == ["conv1", "conv2", "conv3", "ceiling"]
    kinds, *cells = view.columns("#heat-map table")
    for layer, column_of_cells in zip(layers[:3], cells[:3], strict=True):
        for kind, cell in zip(kinds[1:], column_of_cells[1:], strict=True):
            assert cell.replace("−", "-") == f"{round(found[layer, kind], 3):.2f}"
    assert cells[3][0] == "0.98"
    view.page.get_by_role("button", name="conv2, type 1: plot").click()
    number = view.page.locator("#x-axis").input_value()
    name = view.page.locator(f"#x-axis option[value='{number}']").text_content()
    assert name == column("conv2")
    boxes = view.page.locator("#legend input").all()
    assert [each.is_checked() for each in boxes] == [False, True, False]
