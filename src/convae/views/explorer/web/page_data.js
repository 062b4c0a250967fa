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
 * @property {{columns: number, per_sheet: number, images: string[], reconstructions: string[]}} sheets
 * @property {any} network what the page has of it: encoder and decoder, image_shape, and the points' latents; null if none
 * @property {{kind: "exact" | "near", points: number[], others: number}[]} copies groups of images that are equal, or nearly; how many of a group are not shown
 * @property {string} left_out why the page has no more of it
 * @property {number} k
 * @property {Uint32Array} rows
 * @property {Float32Array} positions N x 2
 * @property {Uint16Array | null} labels
 * @property {Float32Array} errors
 * @property {Uint32Array} neighbours N x k
 * @property {Float32Array} distances N x k
 * @property {Uint8Array} kept
 * @property {Uint8Array | null} same how many of the k neighbours have the point's label
 */

const element = byId("data");
export const data = readData(element.textContent ?? "");
// What has been decoded is not needed twice.
element.remove();
export const grid = makeGrid(data.positions);
/** @type {Map<number, number>} the shown point of each row */
const pointOfRow = new Map();

/** @param {string} text JSON @returns {Explorer} */
function readData(text) {
  const { arrays, ...rest } = JSON.parse(text);
  const labels = rest.classes.length && arrays.labels ? decodeArray(arrays.labels) : null;
  const read = {
    ...rest,
    shades: rest.colours,
    colours: rest.colours.map((/** @type {string[]} */ [light, dark]) => `light-dark(${light}, ${dark})`),
    k: arrays.neighbours.shape[1],
    rows: decodeArray(arrays.rows),
    positions: decodeArray(arrays.positions),
    labels,
    errors: decodeArray(arrays.errors),
    neighbours: decodeArray(arrays.neighbours),
    distances: decodeArray(arrays.distances),
    kept: decodeArray(arrays.kept),
  };
  read.same = labels && sameLabels(labels, read.neighbours, read.k);
  return read;
}

/** @param {Uint16Array} labels @param {Uint32Array} neighbours @param {number} k @returns {Uint8Array} */
function sameLabels(labels, neighbours, k) {
  const same = new Uint8Array(labels.length);
  for (let i = 0, at = 0; i < labels.length; i++) {
    for (const end = at + k; at < end; at++) if (labels[neighbours[at]] === labels[i]) same[i]++;
  }
  return same;
}

/** @param {number} row @returns {number} the shown point of this row, or -1 */
export function pointOf(row) {
  if (pointOfRow.size === 0) data.rows.forEach((value, i) => void pointOfRow.set(value, i));
  return pointOfRow.get(row) ?? -1;
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
