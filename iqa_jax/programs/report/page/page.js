// The data, and small helpers.

const data = JSON.parse(document.getElementById("data").textContent);

const byId = (id) => document.getElementById(id);

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function escaped(text) {
  return String(text).replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}

function formatted(value) {
  if (typeof value !== "number") return value === null ? "–" : value;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

const followsSystem = window.matchMedia("(prefers-color-scheme: dark)");
function setTheme() {
  document.documentElement.classList.toggle("dark", followsSystem.matches); // for DataTables
}
followsSystem.addEventListener("change", setTheme);
setTheme();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
