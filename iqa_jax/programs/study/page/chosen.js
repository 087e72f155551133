// What is chosen: a claim with dataset and read-out, and networks; and parts that several sections need.

const claims = new Map(data.claims.map((claim) => [claim.id, claim]));
const order = [...claims.keys()];
const chosen = { claim: order[0], dataset: "", readout: data.readout, networks: new Set() };

// The rows of a table that is stored by column.
function rowsOf(columns) {
  const [first] = Object.values(columns);
  return first.map((_, row) =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[row]])),
  );
}

const verdictRows = rowsOf(data.verdicts);
const contrastRows = rowsOf(data.contrasts);
const networkRows = rowsOf(data.networks);
const known = new Set(networkRows.map(({ model }) => model));

function distinct(rows, name) {
  return [...new Set(rows.map((row) => row[name]))].filter(Boolean);
}

// Options of a select; `all` is the text of a first one that chooses every row.
function fill(select, names, all) {
  if (all) select.append(new Option(all, ""));
  names.forEach((name) => select.append(new Option(name)));
}

function announce(name) {
  document.dispatchEvent(new CustomEvent(name));
}

function chooseClaim(claim, dataset, readout) {
  Object.assign(chosen, { claim, dataset: dataset === data.all ? "" : dataset, readout });
  announce("claim");
}

function chooseNetworks(names) {
  chosen.networks = new Set(names);
  announce("networks");
}

// Shows a section and moves the keyboard there.
function goTo(id) {
  byId(id).scrollIntoView();
  byId(`heading-${id}`).focus({ preventScroll: true });
}

// Networks on both sides of a comparison.
function networksOf(row) {
  return (row.members ? row.members.split(",") : [row.a, row.b]).filter((name) => known.has(name));
}

function three(value) {
  return value === null ? "" : value.toFixed(3).replace("-", "−");
}

function interval(low, high) {
  return low === null || high === null ? "" : `${three(low)} to ${three(high)}`;
}

function probability(value) {
  return value === null ? "" : value < 0.001 ? "< .001" : value.toFixed(3);
}

// A column of a table whose rows are objects; `text` makes what is shown, `raw` what is sorted.
function column(title, name, { text, raw, ...more } = {}) {
  const value = (row) => (raw ? raw(row) : row[name]);
  const render = (row, type) => {
    if (type === "display") return text ? text(row) : escaped(row[name] ?? "");
    return type === "filter" ? (row[name] ?? "") : (value(row) ?? -Infinity);
  };
  return { title, data: null, render, className: "dt-left", ...more };
}

function numberColumn(title, name, show = three) {
  const text = (row) => show(row[name]);
  return column(title, name, { text, className: "dt-right", type: "num" });
}

function intervalColumn(title, low, high) {
  const text = (row) => interval(row[low], row[high]);
  return column(title, low, { text, className: "dt-right", type: "num" });
}

function claimColumn() {
  return column("claim", "claim", { raw: ({ claim }) => order.indexOf(claim), type: "num" });
}

function linkTo(text, attributes) {
  const parts = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  return `<button type="button" class="link"${parts.join("")}>${escaped(text)}</button>`;
}

function networkLink(name) {
  return known.has(name) ? linkTo(name, { "data-networks": name }) : escaped(name);
}

// Buttons of a comparison, which lead to its networks.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-networks]");
  if (!button) return;
  chooseNetworks(button.dataset.networks.split(","));
  announce("follow");
});
