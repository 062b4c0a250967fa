import { make } from "./dom.js";
import { redraw } from "./frames.js";
import { data } from "./page_data.js";
import { drawTile, loadSheet } from "./sheets.js";

/** So many milliseconds of a frame go into images that are new; the others of them wait for the next frames. */
const PATIENCE = 6;

/** Images in the size that they have on the map now: each is scaled once, and then only copied. */
const scaled = { wide: 0, high: 0, canvases: /** @type {Map<number, HTMLCanvasElement>} */ (new Map()) };

/** @param {number} point @returns {HTMLCanvasElement | undefined} its image, if its sheet is there */
function scale(point) {
  const canvas = make("canvas", { width: scaled.wide, height: scaled.high });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  context.imageSmoothingEnabled = scaled.wide < data.thumbnail.width;
  if (!drawTile(context, "images", point, 0, 0, scaled.wide, scaled.high)) return undefined;
  scaled.canvases.set(point, canvas);
  return canvas;
}

/**
 * Make what draws images; those that are not ready are drawn in a later frame.
 * @param {CanvasRenderingContext2D} context @param {number} wide @param {number} high in device pixels
 * @returns {(point: number, x: number, y: number) => void}
 */
export function imageDrawer(context, wide, high) {
  const { canvases } = scaled;
  const most = (4 * context.canvas.width * context.canvas.height) / (wide * high) + 100;
  if (scaled.wide !== wide || scaled.high !== high || canvases.size > most) canvases.clear();
  Object.assign(scaled, { wide, high });
  let spent = 0;
  return (point, x, y) => {
    const ready = canvases.get(point);
    if (ready) return context.drawImage(ready, x, y);
    if (spent > PATIENCE) return redraw("points");
    const start = performance.now();
    const image = scale(point);
    if (image) context.drawImage(image, x, y);
    else loadSheet("images", point).then(() => redraw("points"));
    spent += performance.now() - start;
  };
}
