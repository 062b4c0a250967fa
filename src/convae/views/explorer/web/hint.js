import { nearestPoint } from "./cells.js";
import { byId, say } from "./dom.js";
import { grid } from "./page_data.js";
import { shown, state } from "./state.js";
import { placeOf, view, zoomOf } from "./view.js";

/** How long a message stays, in milliseconds. */
const LONG = 8000;
let message = 0;

/** Show at the bottom of the map where to begin, or that there is nothing to see here. */
export function showHint() {
  if (!message) show(nothingHere() ? "No image here; 0 shows the whole map." : state.focus ? "" : startText());
}

/** Show a message in place of the hint for a while. @param {string} text */
export function tell(text) {
  clearTimeout(message);
  show(text);
  say(text);
  message = window.setTimeout(() => {
    message = 0;
    showHint();
  }, LONG);
}

/** @param {string} text */
function show(text) {
  byId("hint").textContent = text;
  byId("hint").hidden = !text;
}

/** @returns {string} */
function startText() {
  const touch = matchMedia("(pointer: coarse)").matches;
  const alike = "Each dot is an image; near ones look alike to the network. ";
  return alike + (touch ? "Tap one to see it and its neighbours." : "Point at one to see it, click for its neighbours.");
}

/** @returns {boolean} whether no point is in the window, as can be close up */
function nothingHere() {
  if (view.width < 2 || zoomOf() < 4) return false;
  const inside = (/** @type {number} */ point) => {
    const [x, y] = placeOf(point);
    return shown[point] === 1 && x >= 0 && y >= 0 && x < view.width && y < view.height;
  };
  return nearestPoint(grid, view.x, view.y, Math.hypot(view.width, view.height) / 2 / view.scale, inside) < 0;
}
