// The images of the chosen pair: side by side, under a slider, blinking, or with a map.

const viewer = (() => {
  const INTERVAL = 700; // milliseconds; flashes stay below three in a second
  const stage = byId("stage");
  const { sources, maps } = data.pictures;
  const hasImages = Object.keys(sources).length > 0;
  let timer = null;

  function setDivider(percent) {
    const rounded = Math.round(Math.min(100, Math.max(0, percent)));
    byId("divider").value = rounded;
    byId("divider").setAttribute("aria-valuetext", `${rounded} % reference`);
    stage.style.setProperty("--divider", `${rounded}%`);
  }

  function flip(toReference = stage.dataset.shown !== "reference") {
    stage.dataset.shown = toReference ? "reference" : "distorted";
    byId("blink-shown").textContent = stage.dataset.shown;
  }

  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => flip(), INTERVAL) : null;
    byId("playing").setAttribute("aria-pressed", String(on));
  }

  function setMode(mode) {
    stage.dataset.mode = mode;
    document.querySelectorAll("#pair [data-for]").forEach((each) => {
      each.hidden = each.dataset.for !== mode;
    });
    flip(false);
    const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    play(mode === "blink" && !isStill);
  }

  function setImage(name, source, caption) {
    const image = byId(name);
    const figure = byId(`${name}-figure`);
    figure.hidden = !source;
    image.alt = caption;
    figure.querySelector("figcaption").textContent = caption;
    if (source) image.src = source;
    else image.removeAttribute("src");
  }

  function setZoom() {
    const zoom = Number(byId("zoom").value);
    stage.classList.toggle("actual", zoom > 0);
    for (const name of ["reference", "distorted", "map"]) {
      const image = byId(name);
      const width = image.naturalWidth || byId("reference").naturalWidth;
      image.style.width = zoom && width ? `${(width * zoom) / window.devicePixelRatio}px` : "";
    }
  }

  function showMap() {
    const ofPair = maps[chosen.pair] || {};
    const metric = byId("map-metric").value;
    setImage("map", ofPair[metric], `map of ${metric}`);
  }

  function showMaps() {
    const names = Object.keys(maps[chosen.pair] || {});
    const select = byId("map-metric");
    const before = select.value;
    select.replaceChildren(...names.map((name) => new Option(name)));
    if (names.includes(before)) select.value = before;
    byId("map-mode").hidden = !names.length;
    if (!names.length && stage.dataset.mode === "map") {
      document.querySelector("[name=mode][value=side]").checked = true;
      setMode("side");
    }
    showMap();
  }

  function showScores(row) {
    const table = document.querySelector("#scores-of-pair table");
    table.replaceChildren(
      node("thead", {}, node("tr", {}, ...["column", "score", "rank (100 is best)"].map((text) => node("th", { scope: "col" }, text)))),
      node(
        "tbody",
        {},
        ...axes.map(({ name, values }, axis) => {
          const rank = ranksOf(axis)[row];
          return node(
            "tr",
            {},
            node("th", { scope: "row" }, name),
            node("td", {}, formatted(values[row])),
            node("td", {}, rank === null ? "–" : rank.toFixed(1)),
          );
        }),
      ),
    );
  }

  function show() {
    const row = chosen.pair;
    const [reference, distorted] = [pairs.reference[row], pairs.distorted[row]];
    const scores = [...new Set([chosen.y, chosen.x])].map(
      (axis) => `${axes[axis].name} ${formatted(axes[axis].values[row])}`,
    );
    const note = pairs.note[row] ? `; ${pairs.note[row]}` : "";
    byId("pair-name").textContent = `${labelOf(row)}: ${scores.join(", ")}${note}`;
    const has = Boolean(sources[reference] && sources[distorted]);
    stage.hidden = byId("modes").hidden = !has;
    byId("no-image").hidden = has || !hasImages;
    byId("no-image").textContent = "The images of this pair are not in the page.";
    document.querySelectorAll("#pair [data-for]").forEach((each) => {
      each.hidden = !has || each.dataset.for !== stage.dataset.mode;
    });
    setImage("reference", sources[reference], `reference: ${reference}`);
    setImage("distorted", sources[distorted], `distorted: ${distorted}`);
    showMaps();
    showScores(row);
  }

  document.querySelectorAll("[name=mode]").forEach((radio) => {
    radio.addEventListener("change", () => setMode(radio.value));
  });
  byId("divider").addEventListener("input", () => setDivider(Number(byId("divider").value)));
  byId("playing").addEventListener("click", () => play(timer === null));
  byId("flip").addEventListener("click", () => {
    play(false);
    flip();
  });
  byId("map-metric").addEventListener("change", showMap);
  byId("zoom").addEventListener("change", setZoom);
  for (const name of ["reference", "distorted", "map"]) {
    byId(name).addEventListener("load", setZoom);
    byId(name).addEventListener("error", () => {
      if (!byId(name).hasAttribute("src")) return;
      byId("no-image").hidden = false;
      byId("no-image").textContent =
        `The browser cannot show ${byId(name).alt}: the file was moved, or its format is unknown to the browser.`;
    });
  }
  stage.addEventListener("pointermove", (event) => {
    const isDragged = event.pointerType === "mouse" || event.buttons;
    if (stage.dataset.mode !== "slider" || !isDragged) return;
    const box = byId("reference").getBoundingClientRect();
    setDivider(((event.clientX - box.left) / box.width) * 100);
  });
  setDivider(50);
  flip(false);
  document.addEventListener("pair", show);
  document.addEventListener("axes", () => chosen.pair >= 0 && show());
  return { setMode };
})();
