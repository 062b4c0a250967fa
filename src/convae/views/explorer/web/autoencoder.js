import { decodeArray } from "./arrays.js";

/**
 * A layer, as network/description.py writes it: the shapes of its input and its output; where its weights and biases begin in
 * the array of its side; and what only some kinds have. Tensors are flat: channel after channel, row after row.
 * @typedef {object} Layer
 * @property {string} kind
 * @property {number[]} input
 * @property {number[]} output
 * @property {number} kernel
 * @property {number} stride
 * @property {number} padding
 * @property {number} weight
 * @property {number} [bias]
 * @property {number} top
 * @property {number} left
 * @property {Layer[][]} branches
 */

/** @import { Encoded } from "./arrays.js" */

/** @typedef {(layer: Layer, given: Float64Array, weights: Float32Array) => Float64Array} Compute */

/**
 * One side of a network, as network_data.py writes it, with its arrays of weights in the order of the layers.
 * @typedef {{layers: Layer[], weights: Encoded[]}} Side
 */

/**
 * An autoencoder; its encoder is not in every page. Pixels are one byte each, channel after channel.
 * @typedef {{encode: ((pixels: ArrayLike<number>) => Float32Array) | null, decode: (latent: ArrayLike<number>) => Uint8Array}} Network
 */

/** @type {Record<string, Compute>} */
const LAYERS = {
  conv2d: convolve,
  conv_transpose2d: convolve,
  max_pool2d: pool,
  linear,
  scale: ({ weight }, given, weights) => given.map((value, at) => value * weights[weight + at]),
  relu: (_, given) => given.map((value) => Math.max(0, value)),
  silu: (_, given) => given.map((value) => value / (1 + Math.exp(-value))),
  tanh: (_, given) => given.map(Math.tanh),
  clamp: (_, given) => given.map((value) => Math.max(-1, Math.min(1, value))),
  flatten: (_, given) => given,
  unflatten: (_, given) => given,
  pixel_shuffle: shuffle,
  pad: (layer, given) => shift(layer, given, -layer.top, -layer.left),
  crop: (layer, given) => shift(layer, given, layer.top, layer.left),
  sum: (layer, given, weights) => {
    const [first, ...others] = branchesOf(layer, given, weights);
    return first.map((value, at) => others.reduce((sum, other) => sum + other[at], value));
  },
  concatenation: (layer, given, weights) => Float64Array.from(branchesOf(layer, given, weights).flatMap((each) => [...each])),
  // What the layers make of all channels is added to the last ones, which alone are kept.
  refinement: (layer, given, weights) => {
    const [refined] = branchesOf(layer, given, weights);
    return given.slice(-refined.length).map((value, at) => value + refined[at]);
  },
};

/**
 * Make the network that the data describes. It computes in float64, so that it differs from PyTorch by PyTorch's rounding and
 * that of the weights alone.
 * @param {{encoder: Side | null, decoder: Side}} spec
 * @returns {Network}
 */
export function makeNetwork({ encoder, decoder }) {
  const inward = encoder && runner(encoder);
  const outward = runner(decoder);
  return {
    encode: inward && ((pixels) => new Float32Array(inward(Float64Array.from(pixels, (value) => (value / 255 - 0.5) / 0.5)))),
    // A clamped array rounds as PyTorch does: halves to even.
    decode: (latent) =>
      new Uint8Array(Uint8ClampedArray.from(outward(new Float64Array(latent)), (value) => (value * 0.5 + 0.5) * 255).buffer),
  };
}

/** @param {Side} side @returns {(values: Float64Array) => Float64Array} */
function runner(side) {
  const arrays = side.weights.map(decodeArray);
  const weights = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let start = 0;
  for (const array of arrays) {
    weights.set(array, start);
    start += array.length;
  }
  return (values) => run(side.layers, values, weights);
}

/** @param {Layer[]} layers @param {Float64Array} values @param {Float32Array} weights @returns {Float64Array} */
function run(layers, values, weights) {
  return layers.reduce((given, layer) => LAYERS[layer.kind](layer, given, weights), values);
}

/** @param {Layer} layer @param {Float64Array} given @param {Float32Array} weights @returns {Float64Array[]} */
function branchesOf({ branches }, given, weights) {
  return branches.map((layers) => run(layers, given, weights));
}

/** Lay out the pixels of a square, which are channels, beside each other. @type {Compute} */
function shuffle({ input, output: [channels, height, width] }, given) {
  const side = height / input[1];
  return Float64Array.from({ length: channels * height * width }, (_, at) => {
    const [channel, y, x] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width];
    const plane = (channel * side + (y % side)) * side + (x % side);
    return given[(plane * input[1] + Math.floor(y / side)) * input[2] + Math.floor(x / side)];
  });
}

/**
 * A convolution, or a transposed one, which is the same loop with input and output exchanged: over the pairs of a pixel on the
 * coarse side and one on the fine side that the kernel connects. Weights are [coarse channel, fine channel, row, column].
 * @type {Compute}
 */
function convolve({ kind, kernel, stride, padding, weight, bias, input, output }, given, weights) {
  const back = kind === "conv_transpose2d";
  const [[channels, height, width], [fineChannels, fineHeight, fineWidth]] = back ? [input, output] : [output, input];
  const result = biased(output, weights, bias);
  const [toStep, fromStep] = back ? [stride, 1] : [1, stride];
  const [rows, columns] = [inside(height, fineHeight), inside(width, fineWidth)];
  let place = weight;
  for (let coarse = 0; coarse < channels; coarse++) {
    for (let fine = 0; fine < fineChannels; fine++) {
      for (const row of rows) {
        for (const column of columns) {
          const factor = weights[place++];
          for (let y = row.first; y < row.end; y++) {
            const at = (coarse * height + y) * width + column.first;
            const fineAt = (fine * fineHeight + y * stride + row.offset) * fineWidth + column.first * stride + column.offset;
            let to = back ? fineAt : at;
            let from = back ? at : fineAt;
            for (let x = column.first; x < column.end; x++, to += toStep, from += fromStep) result[to] += factor * given[from];
          }
        }
      }
    }
  }
  return result;

  /** For each row or column of the kernel, the pixels of the coarse side that it connects with one inside the fine side. @param {number} length @param {number} fineLength */
  function inside(length, fineLength) {
    return Array.from({ length: kernel }, (_, place) => {
      const offset = place - padding;
      const end = Math.min(length, Math.floor((fineLength - 1 - offset) / stride) + 1);
      return { offset, first: Math.max(0, Math.ceil(-offset / stride)), end };
    });
  }
}

/** @param {number[]} shape of the output @param {Float32Array} weights @param {number} [bias] where it begins @returns {Float64Array} */
function biased([channels, ...sides], weights, bias) {
  const size = sides.reduce((product, side) => product * side, 1);
  const result = new Float64Array(channels * size);
  if (bias === undefined) return result;
  for (let channel = 0; channel < channels; channel++) result.fill(weights[bias + channel], channel * size, (channel + 1) * size);
  return result;
}

/** The largest value of each window; no window is partly outside. @type {Compute} */
function pool({ kernel, stride, input, output: [channels, height, width] }, given) {
  const result = new Float64Array(channels * height * width);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let largest = Number.NEGATIVE_INFINITY;
        for (let row = y * stride; row < y * stride + kernel; row++) {
          const start = (channel * input[1] + row) * input[2] + x * stride;
          for (let from = start; from < start + kernel; from++) largest = Math.max(largest, given[from]);
        }
        result[at++] = largest;
      }
    }
  }
  return result;
}

/** @type {Compute} */
function linear({ weight, bias, output }, given, weights) {
  const result = biased(output, weights, bias);
  let place = weight;
  for (let to = 0; to < result.length; to++)
    for (let from = 0; from < given.length; from++) result[to] += weights[place++] * given[from];
  return result;
}

/** The image from row `top` and column `left` on; outside, its edge is repeated. @param {Layer} layer @param {Float64Array} given @param {number} top @param {number} left */
function shift({ input: [, fromHeight, fromWidth], output: [channels, height, width] }, given, top, left) {
  const nearest = (/** @type {number} */ place, /** @type {number} */ length) => Math.max(0, Math.min(length - 1, place));
  return Float64Array.from({ length: channels * height * width }, (_, at) => {
    const [channel, row, column] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width];
    return given[(channel * fromHeight + nearest(row + top, fromHeight)) * fromWidth + nearest(column + left, fromWidth)];
  });
}
