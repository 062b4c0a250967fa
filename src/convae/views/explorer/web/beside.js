import { decodeArray } from "./arrays.js";
import { make } from "./dom.js";
import { tell } from "./hint.js";
import { data } from "./page_data.js";

/** @import { Encoded } from "./arrays.js" */

/**
 * What a script beside the page has of the points of one sheet, as beside.py writes it: thumbnails, neighbours, latents.
 * @typedef {{images: string, reconstructions: string, neighbours: Uint32Array, distances: Float32Array, latents: Float32Array | null}} Part
 */

/** So many parts are kept, the last ones. */
const KEPT = 150;
/** @type {Map<number, Promise<Part>>} those that have been asked for */
const asked = new Map();
/** @type {Map<number, Part>} */
const parts = new Map();

/**
 * Called by each of these scripts.
 * @param {number} number
 * @param {{images: string, reconstructions: string, neighbours: Encoded, distances: Encoded, latents: Encoded | null}} content
 */
export function received(number, { images, reconstructions, neighbours, distances, latents }) {
  const [near, far] = [decodeArray(neighbours), decodeArray(distances)];
  parts.set(number, { images, reconstructions, neighbours: near, distances: far, latents: latents && decodeArray(latents) });
  if (parts.size <= KEPT) return;
  const [first] = parts.keys();
  parts.delete(first);
  asked.delete(first);
}

/** @param {number} point @returns {Promise<Part>} the part that the point is in; if there is none, the user is told why */
export function partOf(point) {
  const number = Math.floor(point / data.sheets.per_sheet);
  const known = asked.get(number);
  if (known) return known;
  // Named after the page, as browsers name the folder of a page that they save.
  const folder = (location.pathname.split("/").pop() ?? "").replace(/\.html?$/i, "_files");
  /** @type {Promise<Part>} */
  const part = new Promise((done) => {
    const script = make("script", { src: `${folder}/${number}.js` });
    script.addEventListener("load", () => {
      script.remove();
      const found = parts.get(number);
      if (found) done(found);
    });
    script.addEventListener("error", () =>
      tell(
        `Images and neighbours are missing: they are in the folder ${decodeURIComponent(folder)}, which belongs beside this page.`,
      ),
    );
    document.head.append(script);
  });
  asked.set(number, part);
  return part;
}

/** @param {number} point @returns {{points: number[], distances: number[]} | null} its nearest in latent space, if they are here yet */
export function neighboursOf(point) {
  const { k, sheets } = data;
  const part = sheets.beside ? parts.get(Math.floor(point / sheets.per_sheet)) : data;
  if (!part?.neighbours || !part.distances) return null;
  const start = k * (sheets.beside ? point % sheets.per_sheet : point);
  return { points: [...part.neighbours.subarray(start, start + k)], distances: [...part.distances.subarray(start, start + k)] };
}
