// Pairs as cards, with a small picture; the worst pairs of a column.

function card(row, shownAxes) {
  const open = () => {
    choosePair(row);
    byId("pair").scrollIntoView();
  };
  const source = data.pictures.sources[pairs.distorted[row]];
  const picture = source ? [node("img", { src: source, alt: "", loading: "lazy" })] : [];
  const lines = shownAxes.map((axis) => {
    const rank = ranksOf(axis)[row];
    const place = rank === null ? "" : ` (rank ${Math.round(rank)})`;
    return node("span", {}, `${axes[axis].name}: ${formatted(axes[axis].values[row])}${place}`);
  });
  const attributes = { type: "button", class: "card", "data-pair": row, onclick: open };
  return node("button", attributes, ...picture, node("strong", {}, labelOf(row)), ...lines);
}

function fillCards(id, items) {
  const none = node("li", { class: "remark" }, "none");
  const filled = items.map((each) => node("li", {}, ...each));
  byId(id).replaceChildren(...(filled.length ? filled : [none]));
}

const worstPairs = (() => {
  const select = byId("worst-axis");
  if (!select) return null;
  const show = () => {
    const axis = Number(select.value);
    fillCards("worst-list", data.worst[axis].map((row) => [card(row, [axis])]));
  };
  fillAxes(select, chosen.x);
  select.addEventListener("change", show);
  show();
  return { show };
})();
