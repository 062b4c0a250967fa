import { byId, make, swatch } from "./dom.js";
import { redraw } from "./frames.js";
import { className, data, short } from "./page_data.js";
import { showTile } from "./sheets.js";
import { state } from "./state.js";
import { toLeft, toTop, view } from "./view.js";

/**
 * Show a point beside the pointer, or beside the point itself.
 * @param {number} point -1 for none @param {number} [left] @param {number} [top] in CSS pixels of the map
 */
export function hover(point, left, top) {
  const card = byId("card");
  if (point !== state.hover) {
    state.hover = point;
    redraw("marks");
    card.hidden = point < 0;
    if (point >= 0) fillCard(card, point);
  }
  if (point < 0) return;
  const x = left ?? toLeft(data.positions[2 * point]);
  const y = top ?? toTop(data.positions[2 * point + 1]);
  // Beside the pointer, where there is room.
  const [width, height] = [card.offsetWidth, card.offsetHeight];
  const right = x + 18 + width < view.width ? x + 18 : x - 18 - width;
  const below = Math.min(Math.max(8, y - height / 2), view.height - height - 8);
  card.style.transform = `translate(${Math.round(Math.max(8, right))}px, ${Math.round(below)}px)`;
}

/** @param {HTMLElement} card @param {number} point */
function fillCard(card, point) {
  const [original, reconstruction] = card.querySelectorAll("canvas");
  showTile(original, "images", point);
  showTile(reconstruction, "reconstructions", point);
  const lines = [make("b", {}, data.labels ? className(point) : `Index ${data.rows[point]}`)];
  if (data.labels) lines[0].prepend(swatch(data.colours[data.labels[point]]));
  const rest = data.labels ? [`Index ${data.rows[point]}`] : [];
  rest.push(`Error ${short(data.errors[point])}`);
  if (data.files) rest.push(data.files[point]);
  /** @type {HTMLElement} */ (card.querySelector(".text")).replaceChildren(
    ...lines,
    ...rest.map((text) => make("span", {}, text)),
  );
}
