// Agreement within each distortion at each layer, as a table of coloured cells.

const heatMap = (() => {
  const select = byId("heat-map-choice");
  if (!select) return null;
  const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

  // From dark at 0 to bright at 1; negative correlations are red.
  function paint(cell, value) {
    if (value === null) return;
    let rgb = [178, 24, 43];
    if (value >= 0) {
      const at = Math.min(value, 1) * (STOPS.length - 1);
      const low = Math.min(Math.floor(at), STOPS.length - 2);
      rgb = STOPS[low].map((from, part) => Math.round(from + (STOPS[low + 1][part] - from) * (at - low)));
    }
    const [red, green, blue] = rgb.map((each) => {
      const share = each / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    cell.style.backgroundColor = `rgb(${rgb.join(",")})`;
    cell.style.color = luminance > 0.179 ? "#000" : "#fff";
  }

  function value(number) {
    return number === null ? "–" : number.toFixed(2).replace("-", "−");
  }

  function open(axis, distortion) {
    const number = data.distortions.indexOf(distortion);
    legend.show((each) => number < 0 || each === number);
    chooseAxes(axis, human >= 0 ? human : chosen.y);
    byId("compare").scrollIntoView();
    byId("scatter").focus({ preventScroll: true });
  }

  function show() {
    const map = data.heatMaps[Number(select.value)];
    const hasCeiling = map.ceilings.some((each) => each !== null);
    const heading = (text) => node("th", { scope: "col" }, node("span", {}, text));
    const names = [...map.columns, ...(hasCeiling ? ["ceiling"] : [])];
    const head = node("thead", {}, node("tr", {}, node("td"), ...names.map(heading)));
    const body = map.rows.map((distortion, row) => {
      const cells = map.cells[row].map((number, column) => {
        const axis = axes.findIndex(({ name }) => name === map.columns_of_scores[column]);
        const label = `${value(number)}, ${map.columns[column]}, ${distortion}: plot`;
        const content =
          axis < 0 || number === null
            ? value(number)
            : node("button", { type: "button", "aria-label": label, onclick: () => open(axis, distortion) }, value(number));
        const made = node("td", {}, content);
        paint(made, number);
        return made;
      });
      if (hasCeiling) cells.push(node("td", { class: "ceiling" }, value(map.ceilings[row])));
      return node("tr", {}, node("th", { scope: "row" }, distortion), ...cells);
    });
    document.querySelector("#heat-map table").replaceChildren(head, node("tbody", {}, ...body));
  }

  data.heatMaps.forEach(({ name }, number) => select.append(new Option(name, number)));
  select.addEventListener("change", show);
  show();
  return { show };
})();
