import { BICUBIC, BOX, resized } from "./resampling.js";

/** @import { Plane } from "./resampling.js" */

/** How Python has prepared the images: convae/network/preparation.py. @typedef {{fit: string, background: number[], levels?: number[]}} Preparation */

/**
 * Give an image the channels and the size that the network takes, to the bytes that convae/data/fitting.py gives.
 * @param {Uint8Array} rgb red, green and blue, one after another @param {number} width @param {number} height
 * @param {number[]} shape channels, height, width @param {Preparation} preparation
 * @returns {Uint8Array} channel after channel
 */
export function prepared(rgb, width, height, [channels, high, wide], { fit, background }) {
  const size = width * height;
  const planes = channels === 3 ? [0, 1, 2].map((c) => rgb.subarray(c * size, (c + 1) * size)) : [greyOf(rgb)];
  const behind = channels === 3 ? background : greyOf(Uint8Array.from(background));
  const made = new Uint8Array(channels * high * wide);
  planes.forEach((pixels, c) => {
    const plane = { pixels, width, height };
    made.set(fit === "pad" ? padded(plane, wide, high, behind[c]) : filled(plane, wide, high, fit), c * high * wide);
  });
  return made;
}

/** @param {Uint8Array} rgb @returns {Uint8Array} Pillow's grey */
function greyOf(rgb) {
  const size = rgb.length / 3;
  const grey = new Uint8Array(size);
  for (let at = 0; at < size; at++)
    grey[at] = (rgb[at] * 19595 + rgb[size + at] * 38470 + rgb[2 * size + at] * 7471 + 0x8000) >> 16;
  return grey;
}

/** @param {Plane} plane @param {number} wide @param {number} high @param {string} fit crop or stretch @returns {Uint8Array} */
function filled(plane, wide, high, fit) {
  const { width, height } = plane;
  const filter = height >= high && width >= wide ? BOX : BICUBIC;
  if (fit === "stretch") return resized(plane, wide, high, filter).pixels;
  const wanted = wide / high;
  const [right, down] =
    width / height === wanted ? [width, height] : width / height >= wanted ? [wanted * height, height] : [width, width / wanted];
  const [left, top] = [(width - right) * 0.5, (height - down) * 0.5];
  return resized(plane, wide, high, filter, [left, top, left + right, top + down]).pixels;
}

/** @param {Plane} plane @param {number} wide @param {number} high @param {number} behind @returns {Uint8Array} */
function padded(plane, wide, high, behind) {
  const { width, height } = plane;
  const part = (/** @type {number} */ side, /** @type {number} */ goal, /** @type {number} */ by) =>
    Math.max(1, Math.floor((2 * side * goal + by) / (2 * by)));
  const [inWidth, inHeight] =
    width * high > height * wide ? [wide, part(height, wide, width)] : [part(width, high, height), high];
  const { pixels } = resized(plane, inWidth, inHeight, inWidth <= width ? BOX : BICUBIC);
  const made = new Uint8Array(wide * high).fill(behind);
  const [left, top] = [Math.floor((wide - inWidth) / 2), Math.floor((high - inHeight) / 2)];
  for (let row = 0; row < inHeight; row++)
    made.set(pixels.subarray(row * inWidth, (row + 1) * inWidth), (top + row) * wide + left);
  return made;
}
