import { setColour, setDecoding, setLasso, setPictures, zoomToFocus } from "./actions.js";
import { keepAddress } from "./address.js";
import { showBetween, showPart } from "./between.js";
import { darkTheme, firstColour } from "./colours.js";
import { byId } from "./dom.js";
import { listenToDrops } from "./dropped.js";
import { showGroup } from "./group.js";
import { showHint } from "./hint.js";
import { listenToKeys } from "./keys.js";
import { makeLegend, showLegend } from "./legend.js";
import { showMade } from "./made.js";
import { drawMarks } from "./marks.js";
import { data, grouped } from "./page_data.js";
import { colourStrips, markStep, scrollToSelected, showSelected, showWelcome } from "./panel.js";
import { listenToPointers } from "./pointer.js";
import { drawPoints } from "./renderer.js";
import { restore } from "./restore.js";
import { listenToSearch } from "./search.js";
import { state, whenChanged } from "./state.js";
import { listenToTable } from "./table.js";
import { resize, showWhole, zoomBy } from "./view.js";
import { listenToWorst } from "./worst.js";

whenChanged("points", drawPoints);
whenChanged("marks", drawMarks);
whenChanged("view", keepAddress, showHint);
whenChanged("selected", showSelected, showBetween, scrollToSelected);
whenChanged("step", markStep);
whenChanged("between", showBetween);
whenChanged("part", showPart);
whenChanged("made", showMade, scrollToSelected);
whenChanged("group", showGroup);
whenChanged("colour", showLegend, colourStrips);
whenChanged("hidden", showLegend);

/** Show the whole map or what the address says, and listen. */
function start() {
  showTexts();
  makeLegend();
  listenToWorst();
  listenToSearch();
  listenToTable();
  listenToKeys();
  listenToPointers();
  listenToDrops();
  byId("lasso").addEventListener("click", () => setLasso(!state.lasso));
  byId("pictures").addEventListener("click", () => setPictures(!state.pictures));
  byId("fit").addEventListener("click", zoomToFocus);
  byId("decode").addEventListener("click", () => setDecoding(!state.decoding));
  byId("decode").hidden = !data.network;
  byId("left-out").textContent = data.left_out;
  byId("closer").addEventListener("click", () => zoomBy(1.5));
  byId("wider").addEventListener("click", () => zoomBy(1 / 1.5));
  byId("whole").addEventListener("click", showWhole);
  state.colour = firstColour();
  showLegend();
  showHint();
  resize(true);
  restore();
  new ResizeObserver(() => resize(false)).observe(byId("map"));
  window.addEventListener("hashchange", restore);
  darkTheme.addEventListener("change", () => setColour(state.colour));
  // After the first frame, since sorting all points takes a moment.
  requestAnimationFrame(() => setTimeout(showWelcome));
}

function showTexts() {
  document.title = `${data.title}: explorer`;
  byId("title").textContent = data.title;
  const part = data.total > data.count ? ` A sample of ${grouped(data.count)} of ${grouped(data.total)} is shown.` : "";
  byId("about").textContent = data.about + part;
  byId("map").setAttribute("aria-label", `Map of ${grouped(data.count)} images; the table has the same`);
}

start();
