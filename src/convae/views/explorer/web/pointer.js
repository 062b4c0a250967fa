import { choose, lassoed, select, setMade, setPart } from "./actions.js";
import { rounded } from "./address.js";
import { hover } from "./card.js";
import { nearestPoint } from "./cells.js";
import { byId } from "./dom.js";
import { redraw } from "./frames.js";
import { onHandle, partNear } from "./marks.js";
import { grid } from "./page_data.js";
import { pictureAt } from "./pictures.js";
import { radiusOf } from "./renderer.js";
import { decodeAt } from "./spot.js";
import { shown, state } from "./state.js";
import { panBy, stopGliding, toLeft, toMap, toTop, view, zoomBy } from "./view.js";

/** @type {Map<number, {x: number, y: number}>} the pointers that are down */
const down = new Map();
/** What the drag does, how far it has moved, and where it started. */
const drag = { kind: "", moved: 0, startX: 0, startY: 0 };

/** @param {MouseEvent} event @returns {{x: number, y: number}} CSS pixels of the map */
function placeIn(event) {
  const box = byId("map").getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/** @param {number} x @param {number} y @param {number} [reach] in CSS pixels @returns {number} the point there, or -1 */
export function pick(x, y, reach = 12) {
  const pictured = pictureAt(x, y);
  if (pictured >= 0) return pictured;
  const [mapX, mapY] = toMap(x, y);
  return nearestPoint(grid, mapX, mapY, (reach + radiusOf()) / view.scale, (i) => shown[i] === 1);
}

export function listenToPointers() {
  const map = byId("map");
  map.addEventListener("pointerdown", pointerDown);
  map.addEventListener("pointermove", pointerMove);
  map.addEventListener("pointerup", pointerUp);
  map.addEventListener("pointercancel", (event) => {
    down.delete(event.pointerId);
    cancelDrag();
  });
  map.addEventListener("pointerleave", () => void (down.size || hover(-1)));
  map.addEventListener("dblclick", (event) => {
    const { x, y } = placeIn(event);
    if (pick(x, y) < 0) zoomBy(2, x, y);
  });
  const wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    const { x, y } = placeIn(event);
    // A wheel may count in pixels, lines or pages; a pinch on a touchpad comes as small steps with Control.
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    zoomBy(Math.exp(-Math.max(-300, Math.min(300, pixels)) * (event.ctrlKey ? 0.01 : 0.002)), x, y);
    hover(-1);
  };
  map.addEventListener("wheel", wheel, { passive: false });
}

/** @param {PointerEvent} event */
function pointerDown(event) {
  if (event.button !== 0) return;
  const place = placeIn(event);
  byId("map").setPointerCapture(event.pointerId);
  byId("map").focus({ preventScroll: true });
  stopGliding();
  down.set(event.pointerId, place);
  if (down.size > 1) {
    cancelDrag();
    drag.kind = "pinch";
    return;
  }
  const kind = onHandle(place) ? "way" : event.shiftKey ? "rectangle" : modeOf();
  Object.assign(drag, { kind, moved: 0, startX: place.x, startY: place.y });
}

/** @returns {string} what a drag does */
function modeOf() {
  return state.lasso ? "lasso" : state.decoding ? "decode" : "pan";
}

/** @param {{x: number, y: number}} place on the map */
function decodePlace(place) {
  const [x, y] = toMap(place.x, place.y).map(rounded);
  void decodeAt(x, y);
}

/** @param {PointerEvent} event */
function pointerMove(event) {
  const place = placeIn(event);
  const before = down.get(event.pointerId);
  if (!before) {
    byId("map").classList.toggle("handle", onHandle(place));
    if (event.pointerType === "mouse")
      hover(drag.kind || state.decoding || onHandle(place) ? -1 : pick(place.x, place.y), place.x, place.y);
    return;
  }
  drag.moved = Math.max(drag.moved, Math.hypot(place.x - drag.startX, place.y - drag.startY));
  if (drag.kind === "pinch") return pinch(event.pointerId, place);
  // A hand is never quite still during a click.
  if (drag.moved < 4) return;
  hover(-1);
  if (drag.kind === "pan") panBy(place.x - before.x, place.y - before.y);
  else if (drag.kind === "way") setPart(partNear(place));
  else if (drag.kind === "decode") decodePlace(place);
  else if (drag.kind) extend(drag.kind, place);
  down.set(event.pointerId, place);
}

/** Zoom about the fingers' middle, and follow it. @param {number} moved the pointer that has moved @param {{x: number, y: number}} place */
function pinch(moved, place) {
  const spread = () => {
    const [one, other] = [...down.values()];
    return { apart: Math.hypot(one.x - other.x, one.y - other.y), x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
  };
  if (down.size < 2) return;
  const before = spread();
  down.set(moved, place);
  const after = spread();
  panBy(after.x - before.x, after.y - before.y);
  zoomBy(after.apart / Math.max(1, before.apart), after.x, after.y);
}

/** @param {string} kind @param {{x: number, y: number}} place where the lasso has come to */
function extend(kind, place) {
  const corner = (/** @type {number} */ x, /** @type {number} */ y) => toMap(x, y).map(rounded);
  if (kind === "rectangle") {
    const { startX, startY } = drag;
    state.drawing = [corner(startX, startY), corner(place.x, startY), corner(place.x, place.y), corner(startX, place.y)];
  } else {
    if (!state.drawing.length) state.drawing.push(corner(drag.startX, drag.startY));
    const [x, y] = state.drawing[state.drawing.length - 1];
    // Few corners, so that they fit into an address.
    if (Math.hypot(toLeft(x) - place.x, toTop(y) - place.y) >= 4) state.drawing.push(corner(place.x, place.y));
  }
  redraw("marks");
}

/** @param {PointerEvent} event */
function pointerUp(event) {
  if (!down.delete(event.pointerId)) return;
  const { x, y } = placeIn(event);
  const { kind, moved } = drag;
  if (kind === "pinch" && down.size) return;
  if (state.drawing.length > 2) {
    if (state.selected >= 0) select(-1);
    lassoed(state.drawing);
  } else if (kind === "decode") decodePlace({ x, y });
  // A click on nothing clears, unless it was meant to choose the other image.
  else if (kind && kind !== "pinch" && moved < 4) {
    const point = pick(x, y);
    if (point >= 0) choose(point, event.shiftKey);
    else if (state.selected >= 0 && !state.choosing && !event.shiftKey) select(-1);
    else if (state.made && !event.shiftKey) setMade(null);
  }
  cancelDrag();
}

/** @returns {boolean} whether a lasso was being drawn */
export function cancelDrag() {
  const drawing = state.drawing.length > 0;
  drag.kind = "";
  state.drawing = [];
  if (drawing) redraw("marks");
  return drawing;
}
