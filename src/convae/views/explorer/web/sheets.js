import { partOf } from "./beside.js";
import { make } from "./dom.js";
import { data } from "./page_data.js";

/** @typedef {"images" | "reconstructions"} Kind */

/** So many sheets are kept, the last ones, where they are beside the page. */
const KEPT = 150;
/** @type {Map<string, Promise<HTMLImageElement>>} */
const loading = new Map();
/** @type {Map<string, HTMLImageElement>} those that can be drawn */
const loaded = new Map();

/** @param {Kind} kind @param {number} point @returns {Promise<HTMLImageElement>} the sheet that has the point's tile */
export function loadSheet(kind, point) {
  const number = Math.floor(point / data.sheets.per_sheet);
  const key = `${kind} ${number}`;
  let sheet = loading.get(key);
  if (!sheet) {
    sheet = decodeSheet(kind, point, number).then((made) => {
      loaded.set(key, made);
      if (data.sheets.beside && loaded.size > KEPT) {
        const [first] = loaded.keys();
        loaded.delete(first);
        loading.delete(first);
      }
      return made;
    });
    loading.set(key, sheet);
  }
  return sheet;
}

/** @param {Kind} kind @param {number} point @param {number} number of its sheet @returns {Promise<HTMLImageElement>} */
async function decodeSheet(kind, point, number) {
  const made = new Image();
  made.src = data.sheets.beside ? (await partOf(point))[kind] : data.sheets[kind][number];
  await made.decode();
  return made;
}

/**
 * Draw a tile, if its sheet is there.
 * @param {CanvasRenderingContext2D} context @param {Kind} kind @param {number} point
 * @param {number} x @param {number} y @param {number} width @param {number} height
 * @returns {boolean} whether it was there
 */
export function drawTile(context, kind, point, x, y, width, height) {
  const { columns, per_sheet: perSheet } = data.sheets;
  const sheet = loaded.get(`${kind} ${Math.floor(point / perSheet)}`);
  if (!sheet) return false;
  const tile = data.thumbnail;
  const [column, row] = [(point % perSheet) % columns, Math.floor((point % perSheet) / columns)];
  context.drawImage(sheet, column * tile.width, row * tile.height, tile.width, tile.height, x, y, width, height);
  return true;
}

/** Show a point's image on a canvas, one pixel a pixel; CSS makes it larger. @param {HTMLCanvasElement} canvas @param {Kind} kind @param {number} point */
export function showTile(canvas, kind, point) {
  const { width, height } = data.thumbnail;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.dataset.point = String(point);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.imageSmoothingEnabled = false;
  const draw = () => drawTile(context, kind, point, 0, 0, width, height);
  if (draw()) return;
  context.clearRect(0, 0, width, height);
  loadSheet(kind, point).then(() => {
    // By now the canvas may show another point.
    if (canvas.dataset.point === String(point)) draw();
  });
}

/** @param {Kind} kind @param {number} point @returns {HTMLCanvasElement} a new canvas with the image, which screen readers skip */
export function tile(kind, point) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  showTile(canvas, kind, point);
  return canvas;
}

/** @param {Kind} kind @param {number} point @returns {HTMLCanvasElement} the same, with a name for screen readers */
export function namedTile(kind, point) {
  const canvas = tile(kind, point);
  canvas.removeAttribute("aria-hidden");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${kind === "images" ? "Image" : "Reconstruction"} of index ${data.rows[point]}`);
  return canvas;
}
