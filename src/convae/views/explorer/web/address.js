import { firstColour } from "./colours.js";
import { data } from "./page_data.js";
import { state } from "./state.js";
import { view, zoomOf } from "./view.js";

let waiting = 0;
let kept = true;

/** @param {number} value @returns {number} in six digits, as an address has it */
export function rounded(value) {
  return Number(value.toPrecision(6));
}

/** Write view and selection into the address, once nothing has changed for a moment: browsers allow few changes a second. */
export function keepAddress() {
  if (!kept) return;
  clearTimeout(waiting);
  waiting = window.setTimeout(() => history.replaceState(null, "", `#${addressOf()}`), 200);
}

/** Change the state as the address says, without writing the address. @param {() => void} action */
export function withAddressLeft(action) {
  kept = false;
  action();
  kept = true;
}

/** @returns {string} view and selection, without what is as at the start */
function addressOf() {
  const parts = new URLSearchParams();
  if (state.selected >= 0) parts.set("i", String(data.rows[state.selected]));
  if (state.other >= 0) parts.set("to", `${data.rows[state.other]}_${state.part}`);
  if (state.colour !== firstColour()) parts.set("c", state.colour);
  if (state.hidden.size) parts.set("off", [...state.hidden].sort((a, b) => a - b).join("_"));
  if (state.pictures === Boolean(data.labels)) parts.set("pictures", state.pictures ? "1" : "0");
  if (state.made?.address) parts.set(...state.made.address);
  if (state.group) parts.set(...state.group.address);
  if (Math.abs(zoomOf() - 1) > 1e-6) parts.set("view", [view.x, view.y, zoomOf()].map(rounded).join("_"));
  return parts.toString();
}
