// The tables of correlations and of all pairs.

function nameCell(value, type) {
  const axis = axes.findIndex(({ name }) => name === value);
  if (type !== "display" || axis < 0) return cell(value, type);
  return `<button type="button" class="link" data-axis="${axis}">${escaped(value)}</button>`;
}

data.tables.forEach((table, number) => {
  const element = document.querySelector(`#table-${number} table.data`);
  const columns = table.header.map((title, position) => ({
    title: escaped(title),
    render: title === "column" ? nameCell : numberCell(table.rows.map((row) => row[position])),
    className: numeric(table.rows, position) ? "dt-right" : "dt-left",
  }));
  const best = ["srcc", "score"].map((name) => table.header.indexOf(name)).find((p) => p >= 0);
  makeTable(element, columns, table.rows, best === undefined ? {} : { order: [[best, "desc"]] });
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-axis]");
    if (!button) return;
    chooseAxes(Number(button.dataset.axis), chosen.y);
    byId("compare").scrollIntoView();
    byId("scatter").focus({ preventScroll: true });
  });
});

const allPairs = (() => {
  const element = document.querySelector("#pairs table.data");
  const pairCell = (row, type) =>
    type === "display"
      ? `<button type="button" class="link" data-pair="${row}">${escaped(pairs.distorted[row])}</button>`
      : pairs.distorted[row];
  const plain = (title) => ({ title, render: cell, className: "dt-left" });
  const columns = [
    { title: "distorted", render: pairCell, className: "dt-left" },
    plain("reference"),
    ...(data.distortions.some(Boolean) ? [plain("distortion")] : []),
    ...(pairs.level.some(Boolean) ? [plain("level")] : []),
    ...(pairs.note.length ? [plain("note")] : []),
  ];
  const shown = human >= 0 ? [human, ...axes.keys()].slice(0, axes.length) : [...axes.keys()];
  columns.push(
    ...shown.map((axis) => ({
      title: escaped(axes[axis].name),
      render: numberCell(axes[axis].values),
      className: "dt-right",
    })),
  );
  const rows = [...pairs.distorted.keys()].map((row) => [
    row,
    pairs.reference[row],
    ...(data.distortions.some(Boolean) ? [distortionOf(row)] : []),
    ...(pairs.level.some(Boolean) ? [pairs.level[row]] : []),
    ...(pairs.note.length ? [pairs.note[row]] : []),
    ...shown.map((axis) => axes[axis].values[row]),
  ]);
  const markChosen = (made, row) => made.classList.toggle("chosen", row[0] === chosen.pair);
  const table = makeTable(element, columns, rows, { rowCallback: markChosen });
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pair]");
    if (!button) return;
    choosePair(Number(button.dataset.pair));
    byId("pair").scrollIntoView();
  });
  document.addEventListener("pair", () => table.draw("page"));

  const select = byId("pairs-distortion");
  select.append(new Option("all", ""));
  data.distortions.filter(Boolean).forEach((name) => select.append(new Option(name)));
  select.addEventListener("change", () => {
    const wanted = select.value;
    table.search.fixed("distortion", (text, row) => !wanted || distortionOf(row[0]) === wanted).draw();
  });
  return table;
})();
