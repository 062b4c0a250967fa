import { decodeArray } from "./arrays.js";

/**
 * A layer, as network/description.py writes it: the shapes of its input and its output; where its weights and biases begin in
 * the array of all; and what only some kinds have. Tensors are flat: channel after channel, row after row.
 * @typedef {object} Layer
 * @property {string} kind
 * @property {number[]} input
 * @property {number[]} output
 * @property {number} kernel
 * @property {number} stride
 * @property {number} padding
 * @property {number} weight
 * @property {number} bias
 * @property {number} top
 * @property {number} left
 */

/** @typedef {(layer: Layer, given: Float64Array, weights: Float32Array) => Float64Array} Compute */

/**
 * An autoencoder. Pixels are one byte each.
 * @typedef {{encode: (pixels: Uint8Array) => Float32Array, decode: (latent: Float32Array) => Uint8Array}} Network
 */

/** @type {Record<string, Compute>} */
const LAYERS = {
  conv2d: convolve,
  conv_transpose2d: convolve,
  max_pool2d: pool,
  linear,
  relu: (_, given) => given.map((value) => Math.max(0, value)),
  tanh: (_, given) => given.map(Math.tanh),
  flatten: (_, given) => given,
  unflatten: (_, given) => given,
  pad: (layer, given) => shift(layer, given, -layer.top, -layer.left),
  crop: (layer, given) => shift(layer, given, layer.top, layer.left),
};

/**
 * Make the network that the data describes. It computes in float64, so that it differs from PyTorch by PyTorch's rounding alone.
 * @param {{encoder: Layer[], decoder: Layer[], weights: {dtype: string, data: string}}} spec
 * @returns {Network}
 */
export function makeNetwork(spec) {
  const weights = decodeArray(spec.weights);
  const run = (/** @type {Layer[]} */ layers, /** @type {Float64Array} */ values) =>
    layers.reduce((given, layer) => LAYERS[layer.kind](layer, given, weights), values);
  return {
    encode: (pixels) =>
      new Float32Array(
        run(
          spec.encoder,
          Float64Array.from(pixels, (value) => (value / 255 - 0.5) / 0.5),
        ),
      ),
    decode: (latent) => {
      const values = run(spec.decoder, new Float64Array(latent));
      // A clamped array rounds as PyTorch does: halves to even.
      return new Uint8Array(Uint8ClampedArray.from(values, (value) => (value * 0.5 + 0.5) * 255).buffer);
    },
  };
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

/** @param {number[]} shape of the output @param {Float32Array} weights @param {number} bias where it begins @returns {Float64Array} */
function biased([channels, ...sides], weights, bias) {
  const size = sides.reduce((product, side) => product * side, 1);
  const result = new Float64Array(channels * size);
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
