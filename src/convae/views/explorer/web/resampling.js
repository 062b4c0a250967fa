/**
 * One channel of an image: a byte a pixel, row after row.
 * @typedef {{pixels: Uint8Array, width: number, height: number}} Plane
 */

/** A filter of Pillow's: how far it reaches, and its weight at a distance. @typedef {{reach: number, weight: (x: number) => number}} Filter */

/** @type {Filter} */
export const BOX = { reach: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };
/** @type {Filter} */
export const BICUBIC = {
  reach: 2,
  weight: (x) => {
    const [a, far] = [-0.5, Math.abs(x)];
    if (far < 1) return ((a + 2) * far - (a + 3)) * far * far + 1;
    return far < 2 ? (((far - 5) * far + 8) * far - 4) * a : 0;
  },
};
/** Weights are whole numbers, of which so many are 1. */
const ONE = 2 ** 22;

/**
 * Pillow's weights of one side: for each new pixel, the first old one that it takes part of, and the weights from that one on.
 * @param {number} side in pixels @param {number} first @param {number} last the part that is scaled @param {number} wanted pixels
 * @param {Filter} filter
 * @returns {{start: number, weights: number[]}[]}
 */
function weightsOf(side, first, last, wanted, { reach, weight }) {
  const scale = Math.fround(last - first) / wanted;
  const wide = Math.max(1, scale);
  return Array.from({ length: wanted }, (_, at) => {
    const centre = first + (at + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach * wide + 0.5));
    const end = Math.min(side, Math.trunc(centre + reach * wide + 0.5));
    const exact = Array.from({ length: end - start }, (_, x) => weight((x + start - centre + 0.5) * (1 / wide)));
    const sum = exact.reduce((total, each) => total + each, 0) || 1;
    return { start, weights: exact.map((each) => Math.trunc((each / sum) * ONE + (each < 0 ? -0.5 : 0.5))) };
  });
}

/**
 * Scale each row, or each column.
 * @param {Plane} plane @param {ReturnType<typeof weightsOf>} columns of the result @param {boolean} turned whether these are rows
 * @returns {Plane}
 */
function scaled({ pixels, width, height }, columns, turned) {
  const [wide, high] = turned ? [width, columns.length] : [columns.length, height];
  const [along, across, lines] = turned ? [width, 1, width] : [1, width, height];
  const [newAlong, newAcross] = turned ? [wide, 1] : [1, wide];
  const made = new Uint8ClampedArray(wide * high);
  for (let line = 0; line < lines; line++) {
    for (const [at, { start, weights }] of columns.entries()) {
      let sum = ONE / 2;
      let from = line * across + start * along;
      for (let x = 0; x < weights.length; x++, from += along) sum += pixels[from] * weights[x];
      made[line * newAcross + at * newAlong] = Math.floor(sum / ONE);
    }
  }
  return { pixels: new Uint8Array(made.buffer), width: wide, height: high };
}

/**
 * Scale a part of an image to a size, to the very bytes that Pillow's `resize` gives.
 * @param {Plane} plane @param {number} wide @param {number} high @param {Filter} filter
 * @param {number[]} [box] the part's left, top, right and bottom; by default the whole
 * @returns {Plane}
 */
export function resized(plane, wide, high, filter, box = [0, 0, plane.width, plane.height]) {
  const [left, top, right, bottom] = box.map(Math.fround);
  const { width, height } = plane;
  const across = (/** @type {Plane} */ given) =>
    wide === width && left === 0 && right === width ? given : scaled(given, weightsOf(width, left, right, wide, filter), false);
  const down = (/** @type {Plane} */ given) =>
    high === height && top === 0 && bottom === height ? given : scaled(given, weightsOf(height, top, bottom, high, filter), true);
  // Between the two, values are rounded. Since version 13, Pillow begins with the height where it shrinks much more.
  return high < height && height - high > 2 * (width - wide) ? across(down(plane)) : down(across(plane));
}
