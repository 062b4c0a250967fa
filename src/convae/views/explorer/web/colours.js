import { styleOf } from "./dom.js";
import { data, short } from "./page_data.js";
import { state } from "./state.js";

/**
 * What the points can be coloured by: a name, a line that says what it means, and each point's level from 0 (pale: nothing
 * to see) to 1 (strong: worth a look). Lightness changes steadily along a ramp, so that nobody needs to tell hues apart.
 * @typedef {{name: string, about: string, ends: [string, string], level: (point: number) => number}} Colouring
 */

const RAMPS = {
  light: ["#b9c3d0", "#e9b45c", "#cf5a2a", "#7d1a3c", "#3a0a2e"],
  dark: ["#4d586a", "#8a547c", "#c9604e", "#f2ad4e", "#fff3c4"],
};
export const darkTheme = matchMedia("(prefers-color-scheme: dark)");
/** Each point's colour, as the pixels of ImageData have it: 0xAABBGGRR. */
export const paint = new Uint32Array(data.count);
/** Each point's colour when others stand out. */
export const faint = new Uint32Array(data.count);

/** @type {{all: Record<string, Colouring> | null}} made when they are asked for */
const made = { all: null };

/** @returns {Record<string, Colouring>} by key, those that the data has */
export function colourings() {
  made.all ??= makeColourings();
  return made.all;
}

/** @returns {Record<string, Colouring>} */
function makeColourings() {
  const { k, kept, same, errors } = data;
  /** @type {Record<string, Colouring>} */
  const all = {};
  if (data.labels) all.class = { name: "Class", about: "Each class has its colour", ends: ["", ""], level: () => 0 };
  const [least, most] = percentiles(errors);
  all.error = {
    name: "Error",
    about: "Mean squared error of the reconstruction, on the [-1, 1] scale",
    ends: [short(least), `${short(most)} or more`],
    level: (i) => (most > least ? Math.min(1, Math.max(0, (errors[i] - least) / (most - least))) : 0),
  };
  if (k && same) {
    const ends = /** @type {[string, string]} */ ([`${k} of ${k} alike`, "none"]);
    const about = "How many of the nearest in latent space have the same class";
    all.same = { name: "Agreement", about, ends, level: (i) => 1 - same[i] / k };
  }
  if (k) {
    const ends = /** @type {[string, string]} */ ([`${k} of ${k} kept`, "none"]);
    const about = "How many of the nearest in latent space are also nearest on the map";
    all.kept = { name: "Kept", about, ends, level: (i) => 1 - kept[i] / k };
  }
  return all;
}

/** @returns {string} the key of the way of colouring that the page starts with */
export function firstColour() {
  return Object.keys(colourings())[0];
}

/** @param {Float32Array} values @returns {[number, number]} the 1st and the 99th percentile, so that outliers do not flatten the rest */
function percentiles(values) {
  const sorted = values.slice().sort();
  const at = (/** @type {number} */ part) => sorted[Math.round(part * (sorted.length - 1))];
  return [at(0.01), at(0.99)];
}

/** @param {string} text #rrggbb @returns {[number, number, number]} */
export function rgbOf(text) {
  const value = parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** @param {number[]} one @param {number[]} other @param {number} part of the other @returns {number[]} */
function mixed(one, other, part) {
  return one.map((value, c) => Math.round(value + (other[c] - value) * part));
}

/** @param {number[]} rgb @returns {number} a pixel of ImageData, little-endian */
export function pixelOf([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** @returns {string[]} the theme's ramp */
export function ramp() {
  return RAMPS[darkTheme.matches ? "dark" : "light"];
}

/** @param {number} level from 0 to 1 @returns {number[]} */
function rampAt(level) {
  const stops = ramp().map(rgbOf);
  const at = level * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(at));
  return mixed(stops[below], stops[below + 1], at - below);
}

/** Give each point its colours, after the way of colouring or the theme has changed. */
export function paintAll() {
  const background = rgbOf(styleOf("--map"));
  const byClass = state.colour === "class";
  const theme = darkTheme.matches ? 1 : 0;
  const colours = byClass
    ? data.shades.map((shade) => rgbOf(shade[theme]))
    : Array.from({ length: 256 }, (_, level) => rampAt(level / 255));
  const pixels = colours.map(pixelOf);
  const pale = colours.map((colour) => pixelOf(mixed(colour, background, 0.6)));
  const { level } = colourings()[state.colour];
  const labels = data.labels;
  for (let i = 0; i < data.count; i++) {
    const colour = byClass && labels ? labels[i] : Math.round(level(i) * 255);
    paint[i] = pixels[colour];
    faint[i] = pale[colour];
  }
}

/** @param {number} point @returns {string} its colour, for CSS */
export function cssColour(point) {
  const pixel = paint[point];
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}
