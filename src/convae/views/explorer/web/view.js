import { nearestOnMap } from "./cells.js";
import { byId, canvasById } from "./dom.js";
import { redraw } from "./frames.js";
import { data, grid } from "./page_data.js";
import { changed } from "./state.js";

/**
 * The visible part of the map: its centre in map units; CSS pixels per unit (scale); the window's size, the heights of the bar and
 * the hint, and the tools' width, in CSS pixels; device pixels per CSS pixel (ratio); whether a map of many points is moving.
 */
export const view = { x: 0, y: 0, scale: 1, width: 1, height: 1, bar: 0, hint: 0, tools: 0, ratio: 1, moving: false };
/** With more points than this, fewer are drawn while the map moves. */
export const MANY = 100_000;
let gliding = 0;
let resting = 0;
/** The largest scale; 0 until it is asked for. */
let largest = 0;

/** @param {number} x in map units @returns {number} CSS pixels from the left */
export function toLeft(x) {
  return (x - view.x) * view.scale + view.width / 2;
}

/** @param {number} y in map units, upwards @returns {number} CSS pixels from the top */
export function toTop(y) {
  return (view.y - y) * view.scale + view.height / 2;
}

/** @param {number} left @param {number} top in CSS pixels @returns {[number, number]} map units */
export function toMap(left, top) {
  return [(left - view.width / 2) / view.scale + view.x, view.y - (top - view.height / 2) / view.scale];
}

/** @param {number} more CSS pixels around the window @returns {[number, number, number, number]} its left, bottom, right and top in map units */
export function windowBox(more) {
  return [...toMap(-more, view.height + more), ...toMap(view.width + more, -more)];
}

/** @returns {{x: number, y: number, scale: number}} the view that shows the whole map, below the bar, above the hint and beside the tools */
export function wholeView() {
  return viewOf(grid);
}

/** @param {{left: number, right: number, bottom: number, top: number}} part of the map */
function viewOf({ left, right, bottom, top }) {
  const [margin, bar, hint, tools] = [24, view.bar, Math.max(48, view.hint + 16), view.tools];
  const [width, height] = [right - left, top - bottom];
  const scale = Math.min(
    Math.max(view.width - 2 * margin - tools, 40) / (width || height || 1),
    Math.max(view.height - margin - hint - bar, 40) / (height || width || 1),
  );
  return { x: (left + right + tools / scale) / 2, y: (bottom + top) / 2 + (bar + margin - hint) / 2 / scale, scale };
}

/** @returns {number} how many times as large as in the view of the whole map */
export function zoomOf() {
  return view.scale / wholeView().scale;
}

/** @param {number} scale @returns {number} the nearest one that is allowed: from half of the whole map's on, as long as it shows more */
function allowed(scale) {
  const fit = wholeView().scale;
  if (!largest) {
    // Close up, nine of ten points have their nearest one at least this far away, in CSS pixels.
    const [far, sample] = [120, 200];
    const step = Math.max(1, Math.floor(data.count / sample));
    const gaps = [];
    for (let i = 0; i < data.count && data.count > 1; i += step) gaps.push(nearestOnMap(grid, i, 1).distances[0]);
    const gap = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 10)];
    largest = gap > 0 ? far / gap : fit * 5000;
  }
  return Math.min(Math.max(scale, fit / 2), Math.max(largest, fit * 8), fit * 5000);
}

/** @param {number} x @param {number} y @param {number} scale */
export function setView(x, y, scale) {
  const fit = wholeView().scale;
  view.scale = allowed(scale);
  view.x = Math.min(Math.max(x, grid.left), grid.right);
  view.y = Math.min(Math.max(y, grid.bottom - view.height / 2 / fit), grid.top + view.height / 2 / fit);
  if (data.count > MANY) {
    view.moving = true;
    clearTimeout(resting);
    resting = window.setTimeout(() => {
      view.moving = false;
      redraw("points");
    }, 150);
  }
  redraw("points");
  changed("view");
}

/** @param {number} right @param {number} down in CSS pixels: how far the map moves */
export function panBy(right, down) {
  setView(view.x - right / view.scale, view.y + down / view.scale, view.scale);
}

/** @param {number} factor @param {number} left @param {number} top what stays where it is, in CSS pixels */
export function zoomBy(factor, left = view.width / 2, top = view.height / 2) {
  stopGliding();
  const [x, y] = toMap(left, top);
  const scale = allowed(view.scale * factor);
  setView(x - (left - view.width / 2) / scale, y + (top - view.height / 2) / scale, scale);
}

/** Move there in a quarter of a second, or at once for users who prefer no motion. @param {number} x @param {number} y @param {number} scale */
function glideTo(x, y, scale) {
  stopGliding();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return setView(x, y, scale);
  const from = { ...view };
  const start = performance.now();
  const step = (/** @type {number} */ now) => {
    const part = Math.min(1, Math.max(0, (now - start) / 250));
    const eased = 1 - (1 - part) ** 3;
    setView(from.x + (x - from.x) * eased, from.y + (y - from.y) * eased, from.scale * (scale / from.scale) ** eased);
    if (part < 1) gliding = requestAnimationFrame(step);
  };
  gliding = requestAnimationFrame(step);
}

export function showWhole() {
  const { x, y, scale } = wholeView();
  glideTo(x, y, scale);
}

/** Zoom to some points, but not so close that those around them are out of sight. @param {number[]} points */
export function showPoints(points) {
  const room = 15 / wholeView().scale;
  const part = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  for (const i of points) {
    const [x, y] = [data.positions[2 * i], data.positions[2 * i + 1]];
    part.left = Math.min(part.left, x - room);
    part.right = Math.max(part.right, x + room);
    part.bottom = Math.min(part.bottom, y - room);
    part.top = Math.max(part.top, y + room);
  }
  const { x, y, scale } = viewOf(part);
  glideTo(x, y, scale);
}

/** Stop a movement that the user takes over. */
export function stopGliding() {
  cancelAnimationFrame(gliding);
}

/** @param {number} point @returns {[number, number]} CSS pixels */
export function placeOf(point) {
  return [toLeft(data.positions[2 * point]), toTop(data.positions[2 * point + 1])];
}

/** Move the map if a point is outside the window. @param {number} point */
export function bringIntoView(point) {
  const [x, y] = [data.positions[2 * point], data.positions[2 * point + 1]];
  const [left, top] = placeOf(point);
  const inside = left > 20 && left < view.width - 20 && top > view.bar && top < view.height - 20;
  if (!inside) glideTo(x, y, view.scale);
}

/** Fit canvases and view to the window's size; the first time, show the whole map. @param {boolean} first */
export function resize(first) {
  const box = byId("map").getBoundingClientRect();
  const zoom = first ? 1 : zoomOf();
  view.bar = byId("bar").offsetHeight + 12;
  view.hint = byId("hint").offsetHeight || view.hint;
  view.tools = byId("tools").offsetWidth + 12;
  view.width = Math.max(1, box.width);
  view.height = Math.max(1, box.height);
  view.ratio = window.devicePixelRatio || 1;
  for (const id of ["points", "marks"]) {
    canvasById(id).width = Math.round(view.width * view.ratio);
    canvasById(id).height = Math.round(view.height * view.ratio);
  }
  const whole = wholeView();
  if (zoom === 1) Object.assign(view, whole);
  else view.scale = whole.scale * zoom;
  redraw("points");
}
