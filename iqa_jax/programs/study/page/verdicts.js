// The table of verdicts, and the rules and rows of one claim.

const SIGNS = {
  supported: "✓",
  contradicted: "✗",
  equivalent: "=",
  consistent: "~",
  undecided: "?",
  "not tested": "–",
};

function verdictButton(row, place) {
  const { claim, dataset, readout, verdict } = row;
  const sign = `<span class="sign" aria-hidden="true">${SIGNS[verdict] ?? ""}</span>`;
  const label = `${claim}, ${dataset}, ${readout}: ${verdict}`;
  return `<button type="button" class="link ${escaped(verdict)}" data-verdict="${place}" aria-label="${escaped(label)}">${sign}${escaped(verdict)}</button>`;
}

function chooseVerdict(place) {
  const { claim, dataset, readout } = verdictRows[place];
  chooseClaim(claim, dataset, readout);
  goTo("claim");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-verdict]");
  if (button) chooseVerdict(Number(button.dataset.verdict));
});

{
  const [dataset, readout] = [byId("verdicts-dataset"), byId("verdicts-readout")];
  fill(dataset, distinct(verdictRows, "dataset"), "each");
  fill(readout, distinct(verdictRows, "readout"), "all");
  readout.value = data.readout;
  verdictRows.forEach((row, place) => {
    row.place = place;
    row.text = claims.get(row.claim).text;
  });
  const columns = [
    claimColumn(),
    column("verdict", "verdict", { text: (row) => verdictButton(row, row.place) }),
    column("text", "text", { className: "text" }),
    column("dataset", "dataset"),
    column("read-out", "readout"),
    numberColumn("estimate", "estimate"),
    intervalColumn("images", "low_images", "high_images"),
    intervalColumn("networks", "low_networks", "high_networks"),
    numberColumn("p (Holm)", "p_holm", probability),
  ];
  const element = document.querySelector("#verdicts table.data");
  const table = makeTable(element, columns, verdictRows, { pageLength: 25 });
  const show = () => {
    const isShown = (row) =>
      (!dataset.value || row.dataset === dataset.value) &&
      (!readout.value || row.readout === readout.value);
    table.search.fixed("shown", (text, row) => isShown(row)).draw();
  };
  dataset.addEventListener("change", show);
  readout.addEventListener("change", show);
  show();
}

const RULES = {
  source: "Paper",
  estimand: "Estimand",
  supported: "Supported",
  contradicted: "Contradicted",
  equivalent: "Equivalent",
  consistent: "Consistent",
  needs: "Needs",
  confounds: "Confounds",
};

{
  const choice = byId("claim-choice");
  order.forEach((id) => choice.append(new Option(`${id}. ${claims.get(id).text}`, id)));

  function isChosen(row) {
    return row.readout === chosen.readout && row.dataset === (chosen.dataset || data.all);
  }

  function line(row) {
    const button = node("td");
    button.innerHTML = verdictButton(row, row.place);
    const said = [row.reason, row.note, row.dataset === data.all && `${row.replicated} sources`];
    const robust = row.robust && `robust: ${row.robust}`;
    return node(
      "tr",
      { class: isChosen(row) ? "chosen" : null },
      node("th", { scope: "row" }, `${row.dataset}, ${row.readout}`),
      button,
      node("td", {}, three(row.estimate)),
      node("td", {}, interval(row.low_images, row.high_images)),
      node("td", { class: "text" }, [...said, robust].filter(Boolean).join("; ")),
    );
  }

  function show() {
    const claim = claims.get(chosen.claim);
    choice.value = claim.id;
    byId("claim-text").textContent = `${claim.id}. ${claim.text}`;
    const rules = Object.entries(RULES).filter(([name]) => claim[name]);
    document.querySelector("#claim .rules").replaceChildren(
      ...rules.flatMap(([name, label]) => [node("dt", {}, label), node("dd", {}, claim[name])]),
    );
    const heads = ["dataset, read-out", "verdict", "estimate", "images", "why"];
    const head = node("tr", {}, ...heads.map((text) => node("th", { scope: "col" }, text)));
    const rows = verdictRows.filter((row) => row.claim === claim.id);
    document
      .querySelector("#claim table")
      .replaceChildren(node("thead", {}, head), node("tbody", {}, ...rows.map(line)));
    const count = contrastRows.filter((row) => row.claim === claim.id).length;
    byId("to-contrasts").disabled = !count;
    byId("to-contrasts").textContent = count ? "Show its comparisons" : "No comparisons";
  }

  choice.addEventListener("change", () => chooseClaim(choice.value, "", chosen.readout));
  byId("to-contrasts").addEventListener("click", () => goTo("contrasts"));
  document.addEventListener("claim", show);
}
