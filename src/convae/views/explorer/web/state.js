import { data } from "./page_data.js";

/**
 * Points that are shown together in the panel, and how the address names them.
 * @typedef {{title: string, points: number[], polygon: number[][] | null, address: [string, string]}} Group
 */

/**
 * What the network has made here, and its place on the map in map units: of that place, or of an image of the user's.
 * @typedef {object} Made
 * @property {string} title
 * @property {string} about
 * @property {number} x
 * @property {number} y
 * @property {{caption: string, pixels: ArrayLike<number>}[]} pictures
 * @property {string} near what the points are
 * @property {number[]} points nearest first
 * @property {string[]} captions
 * @property {[string, string] | null} address
 */

/** @typedef {"points" | "marks" | "view" | "selected" | "step" | "between" | "part" | "made" | "group" | "colour" | "hidden"} Part */

/** What the user has chosen. Whoever changes a part of it calls `changed`, so that it is shown, or `redraw`. */
export const state = {
  selected: -1,
  hover: -1,
  /** @type {{title: string, points: number[], distances: number[]}[]} the selected point's neighbours: in latent space, on the map */
  near: [],
  /** The row of neighbours that the arrow keys move in, and the place in it; -1 before the first. */
  row: 0,
  step: -1,
  /** The other end of the way from the selected point, how far along it the slider is, and whether the next choice becomes it. */
  other: -1,
  part: 0.5,
  choosing: false,
  /** @type {Made | null} */
  made: null,
  /** Whether a click on the map decodes what is there. */
  decoding: false,
  colour: "error",
  /** @type {Set<number>} classes that are switched off */
  hidden: new Set(),
  /** @type {Group | null} */
  group: null,
  /** @type {Uint8Array | null} 1 for the points that stand out from the others, if some do */
  focus: null,
  /** @type {number[]} these */
  focused: [],
  lasso: false,
  /** Whether as many images as have room are on the map: at the start where there are no classes. */
  pictures: !data.labels,
  /** @type {number[][]} corners of the lasso that is being drawn, in map units */
  drawing: [],
};
/** 1 for points whose class is switched on. */
export const shown = new Uint8Array(data.count).fill(1);

/** @type {Map<Part, (() => void)[]>} */
const listeners = new Map();

/** @param {Part} part @param {...() => void} actions what to do after each change of it, in this order */
export function whenChanged(part, ...actions) {
  listeners.set(part, actions);
}

/** Tell the modules that show a part of the state; so those that change it need not import them. @param {Part} part */
export function changed(part) {
  for (const action of listeners.get(part) ?? []) action();
}
