"use strict";

/** Read the data, show the whole map or what the address says, and listen. */
function start() {
  const element = byId("data");
  data = readData(element.textContent ?? "");
  element.remove();
  grid = makeGrid(data.positions);
  paint = new Uint32Array(data.count);
  faint = new Uint32Array(data.count);
  shown = new Uint8Array(data.count).fill(1);
  showTexts();
  makeLegend();
  listenToWorst();
  listenToSearch();
  listenToTable();
  listenToKeys();
  listenToPointers();
  byId("lasso").addEventListener("click", () => setLasso(!state.lasso));
  byId("closer").addEventListener("click", () => zoomBy(1.5));
  byId("wider").addEventListener("click", () => zoomBy(1 / 1.5));
  byId("whole").addEventListener("click", showWhole);
  state.colour = firstColour();
  showLegend();
  resize(true);
  restore(location.hash.slice(1));
  new ResizeObserver(() => resize(false)).observe(byId("map"));
  window.addEventListener("hashchange", () => restore(location.hash.slice(1)));
  darkTheme.addEventListener("change", () => setColour(state.colour));
  // After the first frame: the orders of all points take a moment.
  requestAnimationFrame(() => setTimeout(showWelcome));
}

function showTexts() {
  document.title = `${data.title}: explorer`;
  byId("title").textContent = data.title;
  const part = data.total > data.count ? ` A sample of ${grouped(data.count)} of ${grouped(data.total)} is shown.` : "";
  byId("about").textContent = data.about + part;
  const touch = matchMedia("(pointer: coarse)").matches;
  const alike = "Each dot is an image; near ones look alike to the network. ";
  byId("hint").textContent =
    alike + (touch ? "Tap one to see it and its neighbours." : "Point at one to see it, click for its neighbours.");
  byId("map").setAttribute("aria-label", `Map of ${grouped(data.count)} images; the table has the same`);
}

document.addEventListener("DOMContentLoaded", start);
