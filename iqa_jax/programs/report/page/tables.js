// Tables that are sorted, searched and paged.

function cell(value, type) {
  if (type !== "display") return value;
  return escaped(formatted(value));
}

// Number of decimals that gives the greatest number of a column four digits.
function decimalsOf(values) {
  const numbers = values.filter((value) => typeof value === "number");
  const greatest = Math.max(0, ...numbers.map(Math.abs));
  if (!greatest || numbers.every(Number.isInteger)) return 0;
  return Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(greatest))));
}

// A number that the decimals would round to 0 has digits of its own.
function numberCell(values) {
  const decimals = decimalsOf(values);
  return (value, type) => {
    const isLarge = typeof value === "number" && Math.abs(value) >= 10 ** -decimals;
    return type === "display" && isLarge ? value.toFixed(decimals) : cell(value, type);
  };
}

function makeTable(element, columns, rows, options) {
  return new DataTable(element, {
    data: rows,
    columns,
    autoWidth: false,
    order: [],
    pageLength: 10,
    lengthMenu: [10, 25, 100, { label: "all", value: -1 }],
    deferRender: true,
    language: { search: "Search", lengthMenu: "_MENU_ rows" },
    ...options,
  });
}

function numeric(rows, position) {
  return rows.some((row) => typeof row[position] === "number");
}
