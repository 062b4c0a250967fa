"use strict";

let waiting = 0;
let restoring = false;

/** @param {number} value @returns {number} in six digits, as an address has it */
function rounded(value) {
  return Number(value.toPrecision(6));
}

/** Write view and selection into the address, once nothing has changed for a moment: browsers allow few changes a second. */
function keepAddress() {
  if (restoring) return;
  clearTimeout(waiting);
  waiting = window.setTimeout(() => history.replaceState(null, "", `#${addressOf()}`), 200);
}

/** @returns {string} view and selection, without what is as at the start */
function addressOf() {
  const parts = new URLSearchParams();
  if (state.selected >= 0) parts.set("i", String(data.rows[state.selected]));
  if (between.other >= 0) parts.set("to", `${data.rows[between.other]}_${between.part}`);
  if (state.colour !== firstColour()) parts.set("c", state.colour);
  if (state.hidden.size) parts.set("off", [...state.hidden].sort((a, b) => a - b).join("_"));
  if (state.group) parts.set(...state.group.address);
  if (Math.abs(zoomOf() - 1) > 1e-6) parts.set("view", [view.x, view.y, zoomOf()].map(rounded).join("_"));
  return parts.toString();
}

/** @returns {string} */
function firstColour() {
  return Object.keys(colourings())[0];
}

/** Show what an address says; what it does not know is left out. @param {string} text after the # */
function restore(text) {
  const parts = new URLSearchParams(text);
  const numbers = (/** @type {string} */ key) => (parts.get(key) ?? "").split("_").filter(Boolean).map(Number);
  restoring = true;
  setHidden(numbers("off").filter((label) => data.classes[label] !== undefined));
  const colour = parts.get("c") ?? "";
  setColour(Object.hasOwn(colourings(), colour) ? colour : firstColour());
  setGroup(groupIn(parts));
  select(parts.has("i") ? pointOf(Number(parts.get("i"))) : -1, false);
  const [row, part = 0.5] = numbers("to");
  const other = pointOf(row);
  if (state.selected >= 0 && other >= 0 && other !== state.selected && networkOf())
    setOther(other, part >= 0 && part <= 1 ? part : 0.5);
  // After the point, which would come into view.
  const [x, y, zoom] = numbers("view");
  if (zoom > 0) setView(x, y, wholeView().scale * zoom);
  restoring = false;
}

/** @param {URLSearchParams} parts @returns {Group | null} */
function groupIn(parts) {
  const label = Number(parts.get("class"));
  if (parts.has("class") && data.classes[label] !== undefined) return groupOfClass(label);
  if (parts.get("files")) return groupOfFiles(parts.get("files") ?? "");
  const polygon = (parts.get("lasso") ?? "").split("~").map((corner) => corner.split("_").map(Number));
  if (polygon.length < 3 || !polygon.flat().every(Number.isFinite)) return null;
  lassoed(polygon);
  return state.group;
}
