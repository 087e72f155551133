// Lists of the pairs on which two columns, or a column and people, disagree most.

const disagreements = (() => {
  const [first, second] = [byId("first"), byId("second")];
  if (axes.length < 2) {
    byId("disagreements").hidden = true;
    document.querySelector('nav a[href="#disagreements"]').hidden = true;
    return null;
  }

  function between(a, b) {
    const [better, worse] = a > b ? data.disagreements[a][b] : data.disagreements[b][a];
    return a > b ? [better, worse] : [worse, better];
  }

  function show() {
    const [a, b] = [Number(first.value), Number(second.value)];
    const [nameA, nameB] = [axes[a].name, axes[b].name];
    const [better, worse] = a === b ? [[], []] : between(a, b);
    byId("better-heading").textContent = `Better for ${nameA} than for ${nameB}`;
    byId("worse-heading").textContent = `Worse for ${nameA} than for ${nameB}`;
    byId("defended-heading").textContent = `Equal for ${nameA}, far apart for ${nameB}`;
    byId("attacked-heading").textContent = `Equal for ${nameB}, far apart for ${nameA}`;
    fillCards("better", better.map((row) => [card(row, [a, b])]));
    fillCards("worse", worse.map((row) => [card(row, [a, b])]));
    const couples = (found) => found.map((rows) => rows.map((row) => card(row, [a, b])));
    fillCards("defended", couples(data.differentiation[a][b]));
    fillCards("attacked", couples(data.differentiation[b][a]));
  }

  fillAxes(first, chosen.x);
  fillAxes(second, chosen.y);
  first.addEventListener("change", show);
  second.addEventListener("change", show);
  document.addEventListener("axes", () => {
    [first.value, second.value] = [chosen.x, chosen.y];
    show();
  });
  show();
  return { show };
})();
