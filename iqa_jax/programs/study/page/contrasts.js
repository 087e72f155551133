// The comparisons behind a claim: a table, and a plot of the rows that it shows.

{
  const [claim, dataset, readout] = ["claim", "dataset", "readout"].map((name) =>
    byId(`contrasts-${name}`),
  );
  fill(claim, order, "all");
  fill(dataset, distinct(contrastRows, "dataset"), "all");
  fill(readout, distinct(contrastRows, "readout"), "all");

  const side = (name) => ({ text: (row) => networkLink(row[name]) });
  const networks = (row) => {
    const names = networksOf(row);
    const label = `networks of ${row.a} and ${row.block}`;
    return names.length
      ? linkTo(String(names.length), { "data-networks": names.join(","), "aria-label": `${names.length} ${label}` })
      : "";
  };
  const columns = [
    claimColumn(),
    column("dataset", "dataset"),
    column("block", "block"),
    column("a", "a", side("a")),
    column("minus b", "b", side("b")),
    column("networks", "members", { text: networks, raw: (row) => networksOf(row).length, type: "num", className: "dt-right" }),
    column("quantity", "quantity"),
    numberColumn("difference", "difference"),
    intervalColumn("images", "low", "high"),
    numberColumn("p", "p", probability),
    numberColumn("p (Holm)", "p_holm", probability),
    column("confounds", "confounds", { className: "text" }),
  ];
  const element = document.querySelector("#contrasts table.data");
  const table = makeTable(element, columns, contrastRows);

  const chart = new Chart(byId("forest"), {
    type: "bar",
    data: { labels: [], datasets: [] },
    options: {
      indexAxis: "y",
      animation: false,
      maintainAspectRatio: false,
      grouped: false,
      scales: { x: { title: { display: true, text: "a − b" } }, y: { ticks: { autoSkip: false } } },
      plugins: {
        legend: { display: false },
        tooltip: {
          filter: ({ datasetIndex }) => datasetIndex === 1,
          callbacks: {
            label: ({ dataIndex }) => {
              const { difference, low, high } = shown()[dataIndex];
              return `${three(difference)}, ${interval(low, high)}`;
            },
          },
        },
      },
      onClick: (event, found) => {
        if (!found.length) return;
        chooseNetworks(networksOf(shown()[found[0].index]));
        announce("follow");
      },
    },
    plugins: [{ id: "margin", beforeDatasetsDraw: band }],
  });

  // The margin, within which a difference counts as none, and 0.
  function band({ ctx, chartArea, scales: { x } }) {
    const [low, zero, high] = [-data.margin, 0, data.margin].map((each) =>
      Math.min(chartArea.right, Math.max(chartArea.left, x.getPixelForValue(each))),
    );
    ctx.save();
    ctx.fillStyle = colour("--panel");
    ctx.fillRect(low, chartArea.top, high - low, chartArea.height);
    ctx.fillStyle = colour("--soft");
    if (x.min <= 0 && x.max >= 0) ctx.fillRect(zero, chartArea.top, 1, chartArea.height);
    ctx.restore();
  }

  function shown() {
    return table.rows({ page: "current" }).data().toArray();
  }

  function nameOf(row) {
    const name = row.b ? `${row.a} − ${row.b}` : row.a;
    const room = byId("forest-box").clientWidth < 600 ? 22 : 60;
    return name.length > room ? `${name.slice(0, room - 1)}…` : name;
  }

  function draw() {
    const rows = shown();
    byId("forest-box").hidden = !rows.length;
    byId("forest-box").style.height = `${5 + 1.4 * rows.length}rem`;
    const accent = colour("--accent");
    chart.data.labels = rows.map(nameOf);
    chart.data.datasets = [
      { data: rows.map(({ low, high }) => (low === null ? null : [low, high])), backgroundColor: accent, barThickness: 3 },
      { type: "line", showLine: false, data: rows.map(({ difference }) => difference), pointRadius: 5, backgroundColor: accent, borderColor: accent },
    ];
    for (const axis of Object.values(chart.options.scales)) {
      Object.assign(axis, { grid: { color: colour("--line") } });
      axis.ticks = { ...axis.ticks, color: colour("--text") };
    }
    chart.options.scales.x.title.color = colour("--text");
    chart.resize();
    chart.update("none");
    byId("forest").setAttribute(
      "aria-label",
      `Differences and intervals of ${rows.length} comparisons, which the table lists`,
    );
  }

  function filter() {
    const isShown = (row) =>
      (!claim.value || row.claim === claim.value) &&
      (!dataset.value || row.dataset === dataset.value) &&
      (!readout.value || row.readout === readout.value);
    table.search.fixed("shown", (text, row) => isShown(row)).draw();
  }

  function has(select, value) {
    return [...select.options].some((option) => option.value === value) ? value : "";
  }

  document.addEventListener("claim", () => {
    claim.value = chosen.claim;
    dataset.value = has(dataset, chosen.dataset);
    readout.value = has(readout, chosen.readout);
    filter();
  });
  for (const select of [claim, dataset, readout]) {
    select.addEventListener("change", filter);
  }
  readout.addEventListener("change", () => { chosen.readout = readout.value || data.readout; });
  table.on("draw", draw);
  followsSystem.addEventListener("change", draw);
}
