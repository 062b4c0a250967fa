import { decodeArray } from "./arrays.js";
import { makeNetwork } from "./autoencoder.js";
import { partOf } from "./beside.js";
import { data } from "./page_data.js";
import { contextOf, readPixels } from "./pixels.js";
import { drawTile, loadSheet } from "./sheets.js";

/** @import { Network } from "./autoencoder.js" */

/** Distances to so many points are computed before the page may do something else. */
const SLICE = 100;
/** @type {Network | null} */
let network = null;
/** @type {Float32Array | null} the latents that are in the page: N x D */
let shipped = null;
/** @type {CanvasRenderingContext2D | null} what thumbnails are read from */
let reading = null;
/** @type {Map<number, Float32Array>} those that were encoded here */
const encoded = new Map();

/** @returns {Network} made when it is first asked for, since many users never do */
export function networkOf() {
  network ??= makeNetwork(data.network);
  return network;
}

/** @param {number[]} points @returns {Promise<Float32Array[]>} their latent vectors: from the page, else encoded from exact thumbnails */
export async function latentsOf(points) {
  if (data.network.latents) {
    const all = /** @type {Float32Array} */ (shipped ?? decodeArray(data.network.latents));
    shipped = all;
    const size = all.length / data.count;
    return points.map((point) => all.subarray(point * size, (point + 1) * size));
  }
  if (data.sheets.beside) {
    const parts = await Promise.all(points.map(partOf));
    const found = parts.flatMap(({ latents, neighbours }, place) => {
      const size = latents && latents.length / (neighbours.length / data.k);
      const start = size && (points[place] % data.sheets.per_sheet) * size;
      return latents && size && start !== null ? [latents.subarray(start, start + size)] : [];
    });
    if (found.length === points.length) return found;
  }
  await Promise.all(points.map((point) => loadSheet("images", point)));
  return points.map((point) => {
    const latent = encoded.get(point) ?? encodeTile(point);
    encoded.set(point, latent);
    return latent;
  });
}

/** @param {number} point whose sheet is loaded @returns {Float32Array} */
function encodeTile(point) {
  const { width, height, channels } = data.thumbnail;
  reading ??= contextOf(width, height);
  drawTile(reading, "images", point, 0, 0, width, height);
  const { encode } = networkOf();
  if (!encode) throw new Error(data.left_out);
  return encode(readPixels(reading, channels));
}

/** @param {Float32Array[]} vectors @param {number[]} weights @returns {Float32Array} their weighted mean */
export function meanOf(vectors, weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return vectors[0].map((_, at) => vectors.reduce((sum, vector, i) => sum + vector[at] * weights[i], 0) / total);
}

/** @param {number[]} distances @param {number} least below which nearer makes no difference @returns {number[]} weights: the nearer, the larger */
export function closeness(distances, least) {
  return distances.map((distance) => 1 / (distance * distance + least * least || 1));
}

/**
 * @param {Float32Array} latent @param {number} k @param {(part: number) => void} progress
 * @returns {Promise<{points: number[], distances: number[]}>} the k nearest points in latent space, nearest first; ties by index
 */
export async function nearestInLatentSpace(latent, k, progress) {
  /** @type {[number, number][]} */
  const found = [];
  for (let start = 0; start < data.count; start += SLICE) {
    const points = Array.from({ length: Math.min(SLICE, data.count - start) }, (_, at) => start + at);
    for (const [at, other] of (await latentsOf(points)).entries()) {
      found.push([Math.sqrt(latent.reduce((sum, value, d) => sum + (value - other[d]) ** 2, 0)), start + at]);
    }
    progress(start / data.count);
    if (!data.network.latents) await new Promise((done) => setTimeout(done));
  }
  found.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  const nearest = found.slice(0, k);
  return { points: nearest.map(([, i]) => i), distances: nearest.map(([distance]) => distance) };
}
