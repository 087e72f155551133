// The table of networks, and which of them are chosen.

const view = (() => {
  const [dataset, readout, quantity] = ["dataset", "readout", "quantity"].map((name) =>
    byId(`networks-${name}`),
  );
  const only = byId("only-chosen");
  const OTHERS = ["metric", "input"];
  fill(dataset, distinct(networkRows, "dataset"));
  fill(readout, distinct(data.curves, "readout"));
  fill(quantity, distinct(networkRows, "quantity").filter((name) => !OTHERS.includes(name)));
  quantity.value = data.best.find((name) => networkRows.some((row) => row.quantity === name)) ?? quantity.value;
  readout.value = data.readout;

  const columns = [
    column("network or metric", "model", { text: ({ model }) => linkTo(model, { "data-toggle": model }) }),
    column("family", "family"),
    column("goal", "goal"),
    column("environment", "environment"),
    column("layer", "layer"),
    numberColumn("value", "value"),
    intervalColumn("images", "low", "high"),
    numberColumn("top-1", "top1", (value) => value?.toFixed(1) ?? ""),
    numberColumn("linear probe", "linear_probe", (value) => value?.toFixed(1) ?? ""),
  ];
  const element = document.querySelector("#networks table.data");
  const mark = (made, row) => made.classList.toggle("chosen", chosen.networks.has(row.model));
  const options = { order: [[5, "desc"]], rowCallback: mark, pageLength: 25 };
  const table = makeTable(element, columns, networkRows, options);

  function isShown(row) {
    const isQuantity =
      OTHERS.includes(row.quantity) ||
      (row.quantity === quantity.value && row.readout === readout.value);
    return (
      row.dataset === dataset.value && isQuantity && (!only.checked || chosen.networks.has(row.model))
    );
  }

  function chip(name) {
    return node(
      "button",
      { type: "button", "aria-label": `${name}: no longer chosen`, onclick: () => toggle(name) },
      `${name} ×`,
    );
  }

  function toggle(name) {
    const names = new Set(chosen.networks);
    names[names.has(name) ? "delete" : "add"](name);
    chooseNetworks(names);
  }

  function show() {
    only.disabled = !chosen.networks.size;
    if (only.disabled) only.checked = false;
    const none = node("button", { type: "button", onclick: () => chooseNetworks([]) }, "choose none");
    byId("chosen").replaceChildren(...[...chosen.networks].map(chip), ...(chosen.networks.size ? [none] : []));
    table.search.fixed("shown", (text, row) => isShown(row)).draw("full-hold");
    announce("view");
  }

  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-toggle]");
    if (button) toggle(button.dataset.toggle);
  });
  for (const each of [dataset, readout, quantity, only]) each.addEventListener("change", show);
  document.addEventListener("networks", show);
  document.addEventListener("claim", () => {
    if (chosen.dataset) dataset.value = chosen.dataset;
    if ([...readout.options].some(({ value }) => value === chosen.readout)) readout.value = chosen.readout;
    show();
  });
  document.addEventListener("follow", () => {
    only.checked = true;
    show();
    goTo("networks");
  });
  return { dataset, readout, quantity, show };
})();

if (byId("published")) {
  const columns = [
    column("dataset", "dataset"),
    column("column", "column"),
    column("measure", "measure"),
    numberColumn("ours", "value"),
    numberColumn("published", "authors_value"),
    numberColumn("difference", "difference_from_authors"),
  ];
  makeTable(document.querySelector("#published table.data"), columns, rowsOf(data.published));
}
