// Scores of one column against another or against people; a point is a pair.

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#8a5a00"];
const SHAPES = [
  ["circle", "●"],
  ["triangle", "▲"],
  ["rect", "■"],
  ["rectRot", "◆"],
];

function styleOf(distortion) {
  const [shape, sign] = SHAPES[Math.floor(distortion / COLOURS.length) % SHAPES.length];
  return { colour: COLOURS[distortion % COLOURS.length], shape, sign };
}

function valuesOf(axis) {
  return byId("as-ranks").checked ? ranksOf(axis) : axes[axis].values;
}

const scatter = (() => {
  const points = data.distortions.map((name, distortion) => {
    const { colour: fill, shape } = styleOf(distortion);
    return {
      label: name || "pairs",
      data: [],
      backgroundColor: `${fill}b0`,
      borderColor: fill,
      borderWidth: 0.5,
      pointStyle: shape,
      pointRadius: count > 1000 ? 3 : 4.5,
      pointHoverRadius: 7,
      order: 1,
    };
  });
  const ring = {
    label: "chosen",
    data: [],
    pointStyle: "circle",
    pointRadius: 10,
    pointHoverRadius: 10,
    backgroundColor: "transparent",
    borderWidth: 3,
    order: 0,
  };
  const axis = () => ({ title: { display: true, text: "" }, grid: {}, ticks: {} });
  const chart = new Chart(byId("scatter"), {
    type: "scatter",
    data: { datasets: [...points, ring] },
    options: {
      animation: false,
      maintainAspectRatio: false,
      scales: { x: axis(), y: axis() },
      plugins: {
        legend: { display: false },
        tooltip: {
          filter: ({ raw }) => !raw.isRing,
          callbacks: {
            label: ({ raw }) => [
              labelOf(raw.row),
              ...[chosen.x, chosen.y].map(
                (each) => `${axes[each].name}: ${formatted(axes[each].values[raw.row])}`,
              ),
            ],
          },
        },
      },
      onClick: (event) => {
        const found = chart.getElementsAtEventForMode(event, "nearest", { intersect: false }, false);
        const nearest = found.map((each) => points[each.datasetIndex]?.data[each.index]).find(Boolean);
        if (nearest) choosePair(nearest.row);
      },
    },
  });

  function titleOf(each) {
    const ranked = byId("as-ranks").checked;
    const better = ranked ? "rank, best at 100" : `${axes[each].direction} is better`;
    return `${axes[each].name} (${better})`;
  }

  function redraw() {
    const [x, y] = [valuesOf(chosen.x), valuesOf(chosen.y)];
    const colours = { text: colour("--text"), grid: colour("--line") };
    points.forEach((each, distortion) => {
      each.data = [];
      each.hidden = hiddenDistortions.has(distortion);
    });
    for (let row = 0; row < count; row += 1) {
      if (x[row] !== null && y[row] !== null) {
        points[pairs.distortion[row]].data.push({ x: x[row], y: y[row], row });
      }
    }
    const at = chosen.pair;
    const isShown = at >= 0 && x[at] !== null && y[at] !== null;
    ring.data = isShown ? [{ x: x[at], y: y[at], row: at, isRing: true }] : [];
    ring.borderColor = colours.text;
    for (const [name, each] of [["x", chosen.x], ["y", chosen.y]]) {
      const scale = chart.options.scales[name];
      Object.assign(scale.title, { text: titleOf(each), color: colours.text });
      scale.ticks.color = colours.text;
      scale.grid.color = colours.grid;
    }
    chart.update("none");
    byId("scatter").setAttribute(
      "aria-label",
      `${axes[chosen.y].name} against ${axes[chosen.x].name} of ${count} pairs`,
    );
    byId("x-axis").value = chosen.x;
    byId("y-axis").value = chosen.y;
    const { spearman, name } = axes[chosen.x];
    byId("about-axes").textContent =
      chosen.y === human && spearman !== null
        ? `Spearman's correlation of ${name} and ${axes[human].name}: ${spearman.toFixed(3)}.`
        : "";
  }

  function order(along) {
    const values = axes[along].values;
    const isShown = (row) =>
      !hiddenDistortions.has(pairs.distortion[row]) &&
      axes[chosen.x].values[row] !== null &&
      axes[chosen.y].values[row] !== null;
    const rows = [...values.keys()].filter(isShown);
    return rows.sort((a, b) => values[a] - values[b] || a - b);
  }

  // The next pair along an axis; the first one if none is chosen.
  function step(along, by) {
    const rows = order(along);
    if (!rows.length) return;
    const at = rows.indexOf(chosen.pair);
    const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by));
    choosePair(rows[next]);
  }

  byId("scatter").addEventListener("keydown", (event) => {
    const steps = {
      ArrowLeft: [chosen.x, -1],
      ArrowRight: [chosen.x, 1],
      ArrowDown: [chosen.y, -1],
      ArrowUp: [chosen.y, 1],
      Home: [chosen.x, -count],
      End: [chosen.x, count],
    }[event.key];
    if (!steps) return;
    event.preventDefault();
    step(...steps);
  });
  byId("previous").addEventListener("click", () => step(chosen.x, -1));
  byId("next").addEventListener("click", () => step(chosen.x, 1));

  fillAxes(byId("x-axis"), chosen.x);
  fillAxes(byId("y-axis"), chosen.y);
  for (const id of ["x-axis", "y-axis"]) {
    byId(id).addEventListener("change", () =>
      chooseAxes(Number(byId("x-axis").value), Number(byId("y-axis").value)),
    );
  }
  byId("as-ranks").addEventListener("change", redraw);
  document.addEventListener("axes", redraw);
  document.addEventListener("pair", redraw);
  followsSystem.addEventListener("change", redraw);
  return { chart, redraw };
})();

const legend = (() => {
  const boxes = data.distortions.map((name, distortion) => {
    const { colour: ink, sign } = styleOf(distortion);
    const box = node("input", { type: "checkbox", checked: "" });
    box.addEventListener("change", () => {
      hiddenDistortions[box.checked ? "delete" : "add"](distortion);
      scatter.redraw();
    });
    const swatch = node("span", { "aria-hidden": "true", class: "swatch" }, sign);
    swatch.style.color = ink;
    byId("legend").append(node("label", {}, box, swatch, name || "unknown"));
    return box;
  });
  byId("legend").hidden = boxes.length < 2;

  function show(wanted) {
    boxes.forEach((box, distortion) => {
      box.checked = wanted(distortion);
      hiddenDistortions[box.checked ? "delete" : "add"](distortion);
    });
    scatter.redraw();
  }
  for (const [text, wanted] of [["all", () => true], ["none", () => false]]) {
    byId("legend").append(node("button", { type: "button", onclick: () => show(wanted) }, text));
  }
  return { show };
})();
