import { setChoosing, setPart } from "./actions.js";
import { makeNetwork } from "./autoencoder.js";
import { button, byId, canvasById, make } from "./dom.js";
import { data } from "./page_data.js";
import { drawTile, loadSheet, namedTile } from "./sheets.js";
import { state } from "./state.js";

/** @import { Network } from "./autoencoder.js" */

/** An end of the way: an image, channels x height x width, and its latent vector. @typedef {{pixels: Uint8Array, latent: Float32Array}} End */

/** @type {Promise<End[]> | null} both ends of the way that is shown */
let ends = null;
/** @type {Network | null} */
let network = null;

/** @returns {Network} made when it is first asked for, since many users never do */
function networkOf() {
  network ??= makeNetwork(data.network);
  return network;
}

/** Show the way from the selected point to another: what the decoder makes of the latent vectors in between. */
export function showBetween() {
  const section = byId("between");
  byId("map").classList.toggle("choosing", state.choosing);
  ends = null;
  section.hidden = state.selected < 0 || !data.network;
  section.replaceChildren();
  if (section.hidden) return;
  const text = state.choosing ? "Now choose the other image" : state.other < 0 ? "Choose another image" : "Choose another";
  const chooser = button(text, () => setChoosing(!state.choosing), {
    id: "chooser",
    title: "See what the decoder makes of the way to it (B); a click with Shift chooses it, too",
    "aria-pressed": state.choosing,
  });
  section.append(make("div", { className: "head" }, make("h3", { id: "between-title" }, "In between"), chooser));
  if (state.other < 0) return;
  section.append(...wayTo(state.other));
  ends = endsOf([state.selected, state.other]);
  setPart(state.part);
}

/** @param {number} other @returns {HTMLElement[]} both images, what is made of them, and a slider */
function wayTo(other) {
  const made = ["decoded", "faded"].map((id) => make("canvas", { id, role: "img", ...data.thumbnail }));
  const pictures = [namedTile("images", state.selected), ...made, namedTile("images", other)];
  const captions = [`Index ${data.rows[state.selected]}`, "Decoded", "Cross-fade", `Index ${data.rows[other]}`];
  const figures = pictures.map((picture, place) => make("figure", {}, picture, make("figcaption", {}, captions[place])));
  const slider = make("input", { id: "part", type: "range", min: "0", max: "1", step: "0.01" });
  slider.setAttribute("aria-label", "How far to the other image");
  slider.addEventListener("input", () => setPart(slider.valueAsNumber));
  return [make("div", { className: "way" }, ...figures), slider];
}

/** Show what lies so far along the way as the slider is. */
export async function showPart() {
  const { part } = state;
  const slider = /** @type {HTMLInputElement} */ (byId("part"));
  slider.valueAsNumber = part;
  slider.setAttribute("aria-valuetext", `${Math.round(100 * part)} per cent`);
  const both = ends;
  const [one, other] = (await both) ?? [];
  // By now the slider, or an end, may be another.
  if (!one || ends !== both || state.part !== part) return;
  const way = (/** @type {ArrayLike<number>} */ from, /** @type {ArrayLike<number>} */ to) =>
    Float32Array.from(from, (value, at) => value + (to[at] - value) * part);
  showPixels("decoded", "Decoded", networkOf().decode(way(one.latent, other.latent)));
  showPixels("faded", "Cross-fade of the pixels", way(one.pixels, other.pixels));
}

/** @param {string} id of a canvas @param {string} name of what it shows @param {ArrayLike<number>} values channels x height x width, of 255 */
function showPixels(id, name, values) {
  const { width, height, channels } = data.thumbnail;
  const made = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let c = 0; c < 3; c++) made.data[4 * at + c] = values[(channels === 3 ? c * width * height : 0) + at];
    made.data[4 * at + 3] = 255;
  }
  canvasById(id).getContext("2d", { willReadFrequently: true })?.putImageData(made, 0, 0);
  canvasById(id).setAttribute("aria-label", `${name}, ${Math.round(100 * state.part)} per cent of the way`);
}

/** @param {number[]} points @returns {Promise<End[]>} */
async function endsOf(points) {
  await Promise.all(points.map((point) => loadSheet("images", point)));
  const { encode } = networkOf();
  return points.map(pixelsOf).map((pixels) => ({ pixels, latent: encode(pixels) }));
}

/** @param {number} point whose sheet is loaded @returns {Uint8Array} its image */
function pixelsOf(point) {
  const { width, height, channels } = data.thumbnail;
  const canvas = make("canvas", { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  drawTile(context, "images", point, 0, 0, width, height);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const size = width * height;
  return Uint8Array.from({ length: channels * size }, (_, at) => rgba[4 * (at % size) + Math.floor(at / size)]);
}
