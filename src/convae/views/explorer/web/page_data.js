import { decodeArray } from "./arrays.js";
import { makeGrid } from "./cells.js";
import { byId } from "./dom.js";

/**
 * What the page shows: the JSON's fields, with the arrays decoded and a few derived from them.
 * N points, each with k neighbours; two-dimensional arrays are flat, row after row.
 *
 * @typedef {object} Explorer
 * @property {string} title
 * @property {string} about one line
 * @property {number} total points that there are; more than count if a sample is shown
 * @property {number} count N
 * @property {string[]} classes none if unlabelled
 * @property {[string, string][]} shades a colour for each class, as #rrggbb: in the light and in the dark theme
 * @property {string[]} colours the same for CSS, which takes the theme's
 * @property {[number, number, number][]} centres where classes' names go: label, x and y, largest class first
 * @property {[string, number, number][]} splits name, first row, row after the last
 * @property {string[] | null} files
 * @property {string | null} folder where the files are, from this page's own folder
 * @property {{height: number, width: number, channels: number}} thumbnail
 * @property {{columns: number, per_sheet: number, beside: boolean, images: string[], reconstructions: string[]}} sheets where many, in files beside the page
 * @property {any} network what the page has of it: encoder and decoder, image_shape, and the points' latents; null if none
 * @property {{kind: "exact" | "near", points: number[], others: number}[]} copies groups of images that are equal, or nearly; how many of a group are not shown
 * @property {string} left_out why the page has no more of it
 * @property {number} k
 * @property {Uint32Array} rows of each point
 * @property {Float32Array} positions N x 2
 * @property {Uint8Array | Uint16Array | null} labels
 * @property {Float32Array} errors
 * @property {Uint32Array | null} neighbours N x k; null if they are beside the page
 * @property {Float32Array | null} distances N x k
 * @property {Uint8Array} kept
 * @property {Uint8Array | null} same how many of the k neighbours have the point's label
 */

const element = byId("data");
export const data = readData(element.textContent ?? "");
// What has been decoded is not needed twice.
element.remove();
export const grid = makeGrid(data.positions);
/** @type {{points: Uint32Array | null}} the point of each row, plus 1; made when asked for */
const ofRow = { points: null };

/** @param {string} text JSON @returns {Explorer} */
function readData(text) {
  const { arrays, ...rest } = JSON.parse(text);
  const labels = rest.classes.length && arrays.labels ? decodeArray(arrays.labels) : null;
  return {
    ...rest,
    shades: rest.colours,
    colours: rest.colours.map((/** @type {string[]} */ [light, dark]) => `light-dark(${light}, ${dark})`),
    rows: decodeArray(arrays.rows),
    positions: decodeArray(arrays.positions),
    labels,
    errors: decodeArray(arrays.errors),
    neighbours: arrays.neighbours ? decodeArray(arrays.neighbours) : null,
    distances: arrays.distances ? decodeArray(arrays.distances) : null,
    kept: decodeArray(arrays.kept),
    same: labels && decodeArray(arrays.same),
  };
}

/** @returns {Uint32Array} the point of each row, plus 1 */
function pointsOfRows() {
  if (ofRow.points) return ofRow.points;
  let most = 0;
  for (let i = 0; i < data.count; i++) most = Math.max(most, data.rows[i]);
  const points = new Uint32Array(most + 1);
  for (let i = 0; i < data.count; i++) points[data.rows[i]] = i + 1;
  ofRow.points = points;
  return points;
}

/** @param {number} row @returns {number} its point, or -1 */
export function pointOf(row) {
  return (pointsOfRows()[row] ?? 0) - 1;
}

/** @returns {Uint32Array} all points in the order of their rows */
export function inOrderOfRows() {
  const found = new Uint32Array(data.count);
  let count = 0;
  for (const point of pointsOfRows()) if (point) found[count++] = point - 1;
  return found;
}

/** @param {number} i @returns {string} the class's name; empty if unlabelled */
export function className(i) {
  return data.labels ? data.classes[data.labels[i]] : "";
}

/** @param {number} i @returns {string} the split that the point's row is in */
export function splitOf(i) {
  const split = data.splits.find(([, first, end]) => data.rows[i] >= first && data.rows[i] < end);
  return split ? split[0] : "";
}

/** @param {number} i @returns {string} */
export function describe(i) {
  const label = data.labels ? `, class ${className(i)}` : "";
  return `Index ${data.rows[i]}${label}, error ${short(data.errors[i])}`;
}

/** @param {number} value @returns {string} in three digits */
export function short(value) {
  if (value === 0) return "0";
  return Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6 ? String(Number(value.toPrecision(3))) : value.toExponential(2);
}

/** @param {number} count @returns {string} with commas between thousands */
export function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
