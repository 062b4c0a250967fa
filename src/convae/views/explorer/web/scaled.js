import { make } from "./dom.js";
import { redraw } from "./frames.js";
import { data } from "./page_data.js";
import { drawTile, loadSheet } from "./sheets.js";

/** Images at the size in which they were last drawn on the map: each is scaled once, and then only copied. */
const scaled = {
  canvas: make("canvas"),
  wide: 0,
  high: 0,
  columns: 0,
  rows: 0,
  /** @type {Map<number, number>} the place of each point's image: row after row */
  places: new Map(),
};

/** @param {HTMLCanvasElement} target @param {number} wide @param {number} high of an image, in device pixels */
function forget(target, wide, high) {
  // Half as wide and as high again as the window, since a part of it is new in most frames.
  const columns = Math.ceil((1.5 * target.width) / wide) + 2;
  const rows = Math.ceil((1.5 * target.height) / high) + 2;
  Object.assign(scaled.canvas, { width: columns * wide, height: rows * high });
  Object.assign(scaled, { wide, high, columns, rows });
  scaled.places.clear();
}

/**
 * Draw a point's image, or see to it that it is drawn once it is there.
 * @param {CanvasRenderingContext2D} context @param {number} point
 * @param {number} x @param {number} y @param {number} wide @param {number} high in device pixels
 */
export function drawScaled(context, point, x, y, wide, high) {
  const { places } = scaled;
  const full = places.size === scaled.columns * scaled.rows && !places.has(point);
  if (full || scaled.wide !== wide || scaled.high !== high) forget(context.canvas, wide, high);
  const place = places.get(point) ?? places.size;
  const [left, top] = [(place % scaled.columns) * wide, Math.floor(place / scaled.columns) * high];
  if (!places.has(point)) {
    const own = /** @type {CanvasRenderingContext2D} */ (scaled.canvas.getContext("2d", { alpha: false }));
    own.imageSmoothingEnabled = wide < data.thumbnail.width;
    if (!drawTile(own, "images", point, left, top, wide, high))
      return void loadSheet("images", point).then(() => redraw("points"));
    places.set(point, place);
  }
  context.drawImage(scaled.canvas, left, top, wide, high, x, y, wide, high);
}
