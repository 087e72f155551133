// The pairs, what is chosen, and ranks.

const { pairs, axes } = data;
const count = pairs.distorted.length;
const human = data.hasOpinion ? axes.length - 1 : -1;
const chosen = { x: 0, y: human >= 0 ? human : Math.min(1, axes.length - 1), pair: -1 };
const hiddenDistortions = new Set();

function distortionOf(row) {
  return data.distortions[pairs.distortion[row]] || "";
}

// Length of the folder that all distorted images have in common.
const folderLength = (() => {
  const [first = "", ...others] = pairs.distorted;
  const folders = [...first.matchAll("/")].map(({ index }) => first.slice(0, index + 1)).reverse();
  return (folders.find((folder) => others.every((name) => name.startsWith(folder))) ?? "").length;
})();

function labelOf(row) {
  const kind = [distortionOf(row), pairs.level[row] && `level ${pairs.level[row]}`];
  const known = kind.filter(Boolean).join(", ");
  return pairs.distorted[row].slice(folderLength) + (known ? ` (${known})` : "");
}

// Percentages: 0 for the worst image, 100 for the best; equal scores share their mean rank.
const rankCache = new Map();
function ranksOf(axis) {
  if (!rankCache.has(axis)) {
    const { values, direction } = axes[axis];
    const sign = direction === "higher" ? 1 : -1;
    const rows = [...values.keys()].filter((row) => values[row] !== null);
    rows.sort((a, b) => sign * (values[a] - values[b]));
    const ranks = new Array(count).fill(null);
    for (let start = 0; start < rows.length; ) {
      let end = start + 1;
      while (end < rows.length && values[rows[end]] === values[rows[start]]) end += 1;
      const rank = rows.length > 1 ? ((start + end - 1) / 2 / (rows.length - 1)) * 100 : 50;
      for (; start < end; start += 1) ranks[rows[start]] = rank;
    }
    rankCache.set(axis, ranks);
  }
  return rankCache.get(axis);
}

function fillAxes(select, value) {
  axes.forEach(({ name }, axis) => select.append(new Option(name, axis)));
  select.value = value;
}

function choosePair(row) {
  chosen.pair = row;
  document.dispatchEvent(new CustomEvent("pair"));
}

function chooseAxes(x, y) {
  chosen.x = x;
  chosen.y = y;
  document.dispatchEvent(new CustomEvent("axes"));
}
