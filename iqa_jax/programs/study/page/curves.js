// Plots of networks: correlation over depth, and accuracy at the task.

{
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#8a5a00"];
  const DASHES = [[], [6, 4], [2, 3]];
  const FEW = 14;

  const axis = (text) => ({ title: { display: true, text }, grid: {}, ticks: {} });
  function plot(id, x, y) {
    return new Chart(byId(id), {
      type: "scatter",
      data: { datasets: [] },
      options: {
        animation: false,
        maintainAspectRatio: false,
        scales: { x: axis(x), y: axis(y) },
        plugins: {
          legend: { labels: { boxHeight: 1, boxWidth: 24 } },
          tooltip: { callbacks: { label: ({ raw }) => `${raw.name}: ${three(raw.y)}` } },
        },
        onClick: (event, found, chart) => {
          if (found.length) chooseNetworks([chart.data.datasets[found[0].datasetIndex].data[found[0].index].model]);
        },
      },
    });
  }

  const LEVELS = ["metric", "input"];
  const curves = plot("curves", "relative depth", "Spearman's correlation");
  const accuracy = plot("accuracy", "", "");
  Object.assign(curves.options.scales.x, { min: 0, max: 1 });

  function draw(chart, sets, label) {
    const few = sets.length <= FEW;
    sets.forEach((each, place) => {
      const ink = COLOURS[place % COLOURS.length];
      const dash = DASHES[Math.floor(place / COLOURS.length) % DASHES.length];
      Object.assign(each, { borderColor: few ? ink : `${ink}90`, backgroundColor: ink, borderDash: dash, pointRadius: few ? 4 : 2.5, borderWidth: few ? 2 : 1 });
    });
    chart.data.datasets = sets;
    Object.assign(chart.options.plugins.legend, { display: few && sets.length > 0 });
    chart.options.plugins.legend.labels.color = colour("--text");
    for (const each of Object.values(chart.options.scales)) {
      each.title.color = each.ticks.color = colour("--text");
      each.grid.color = colour("--line");
    }
    chart.update("none");
    chart.canvas.setAttribute("aria-label", `${label} of ${sets.length} networks`);
  }

  function isShown(name) {
    return !chosen.networks.size || chosen.networks.has(name);
  }

  function drawCurves() {
    const rows = data.curves.filter(
      ({ dataset, readout, model }) =>
        dataset === view.dataset.value && readout === view.readout.value && isShown(model),
    );
    const sets = rows.map(({ model, layers, depths, values }) => ({
      label: model,
      showLine: true,
      data: depths.map((x, place) => ({ x, y: values[place], name: `${model} ${layers[place]}`, model })),
    }));
    // A metric has no depth: its line is level.
    const levels = networkRows.filter(
      ({ dataset, quantity, model }) =>
        dataset === view.dataset.value && LEVELS.includes(quantity) && chosen.networks.has(model),
    );
    sets.push(
      ...levels.map(({ model, value }) => ({
        label: model,
        showLine: true,
        data: [0, 1].map((x) => ({ x, y: value, name: model, model })),
      })),
    );
    draw(curves, sets, "Correlation over depth");
  }

  function drawAccuracy() {
    const field = byId("accuracy-choice").value;
    const rows = networkRows.filter(
      (row) =>
        row.dataset === view.dataset.value &&
        row.readout === view.readout.value &&
        row.quantity === view.quantity.value &&
        row[field] !== null &&
        isShown(row.model),
    );
    const families = [...new Set(rows.map(({ family }) => family))];
    const sets = families.map((family) => ({
      label: family || "other",
      data: rows
        .filter((row) => row.family === family)
        .map((row) => ({ x: row[field], y: row.value, name: row.model, model: row.model })),
    }));
    accuracy.options.scales.x.title.text = byId("accuracy-choice").selectedOptions[0].text;
    accuracy.options.scales.y.title.text = view.quantity.value;
    draw(accuracy, sets, "Accuracy at the task and agreement, by family,");
  }

  function drawAll() {
    drawCurves();
    drawAccuracy();
  }

  byId("accuracy-choice").addEventListener("change", drawAccuracy);
  document.addEventListener("view", drawAll);
  followsSystem.addEventListener("change", drawAll);
}
