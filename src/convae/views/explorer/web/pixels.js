import { make } from "./dom.js";

/** Pixels as the network has them: one byte each, channel after channel. @typedef {ArrayLike<number>} Pixels */

/** What to say where pixels would have to be read from a canvas, and cannot be. */
export const FALSIFIED =
  "This browser falsifies what a page reads from its own images, to prevent tracking, so they cannot be encoded here.";
/** @type {boolean | null} */
let honest = null;

/** @param {number} width @param {number} height @returns {CanvasRenderingContext2D} of a new canvas, for reading */
export function contextOf(width, height) {
  const context = make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  return /** @type {CanvasRenderingContext2D} */ (context);
}

/** @returns {boolean} whether a known pattern is read back as it was drawn; browsers in privacy modes add noise, or give white */
export function canvasIsHonest() {
  if (honest !== null) return honest;
  const side = 64;
  const drawn = new ImageData(side, side);
  for (let at = 0; at < drawn.data.length; at++) drawn.data[at] = at % 4 === 3 ? 255 : (at * 89 + (at >> 5) * 57) & 255;
  const context = contextOf(side, side);
  context.putImageData(drawn, 0, 0);
  const { data } = context.getImageData(0, 0, side, side);
  honest = drawn.data.every((value, at) => value === data[at]);
  return honest;
}

/** @param {CanvasRenderingContext2D} context @param {number} channels grey is read from the first @returns {Uint8Array} */
export function readPixels(context, channels) {
  if (!canvasIsHonest()) throw new Error(FALSIFIED);
  const { width, height } = context.canvas;
  const { data } = context.getImageData(0, 0, width, height);
  const size = width * height;
  const pixels = new Uint8Array(channels * size);
  for (let c = 0; c < channels; c++) for (let at = 0; at < size; at++) pixels[c * size + at] = data[4 * at + c];
  return pixels;
}

/** Show pixels on a canvas, one a pixel; CSS makes them larger. @param {HTMLCanvasElement} canvas @param {Pixels} pixels @param {number[]} shape channels, height, width */
export function showPixels(canvas, pixels, [channels, height, width]) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const made = new ImageData(width, height);
  const size = width * height;
  for (let at = 0; at < size; at++) {
    for (let c = 0; c < 3; c++) made.data[4 * at + c] = pixels[(channels === 3 ? c * size : 0) + at];
    made.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d", { willReadFrequently: true })?.putImageData(made, 0, 0);
}
