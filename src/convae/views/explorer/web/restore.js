import { lassoed, select, setColour, setGroup, setHidden, setMade, setOther, setPictures } from "./actions.js";
import { withAddressLeft } from "./address.js";
import { colourings, firstColour } from "./colours.js";
import { groupOfCopies } from "./copies.js";
import { data, pointOf } from "./page_data.js";
import { groupOfClass, groupOfFiles } from "./search.js";
import { decodeAt } from "./spot.js";
import { state } from "./state.js";
import { setView, wholeView } from "./view.js";

/** Show what the address says; what it says wrongly is left out. */
export function restore() {
  withAddressLeft(() => show(new URLSearchParams(location.hash.slice(1))));
}

/** @param {URLSearchParams} parts */
function show(parts) {
  const numbers = (/** @type {string} */ key) => (parts.get(key) ?? "").split("_").filter(Boolean).map(Number);
  setHidden(numbers("off").filter((label) => data.classes[label] !== undefined));
  const colour = parts.get("c") ?? "";
  setColour(Object.hasOwn(colourings(), colour) ? colour : firstColour());
  setPictures(parts.has("pictures") ? parts.get("pictures") === "1" : !data.labels);
  showGroupIn(parts);
  select(parts.has("i") ? pointOf(Number(parts.get("i"))) : -1, false);
  const [row, part = 0.5] = numbers("to");
  const other = pointOf(row);
  if (state.selected >= 0 && other >= 0 && other !== state.selected && data.network)
    setOther(other, part >= 0 && part <= 1 ? part : 0.5);
  const [atX, atY] = numbers("at");
  if (Number.isFinite(atX) && Number.isFinite(atY)) void decodeAt(atX, atY);
  else setMade(null);
  // After the point, since selecting it moves the view to it.
  const [x, y, zoom] = numbers("view");
  if (zoom > 0) setView(x, y, wholeView().scale * zoom);
}

/** @param {URLSearchParams} parts */
function showGroupIn(parts) {
  const label = Number(parts.get("class"));
  const files = parts.get("files");
  const polygon = (parts.get("lasso") ?? "").split("~").map((corner) => corner.split("_").map(Number));
  if (parts.has("class") && data.classes[label] !== undefined) setGroup(groupOfClass(label));
  else if (data.copies[Number(parts.get("copies") ?? -1)]) setGroup(groupOfCopies(Number(parts.get("copies"))));
  else if (files) setGroup(groupOfFiles(files));
  else if (polygon.length > 2 && polygon.flat().every(Number.isFinite)) lassoed(polygon);
  else setGroup(null);
}
