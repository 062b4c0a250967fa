import { select, setGroup } from "./actions.js";
import { colourings } from "./colours.js";
import { groupOfCopies } from "./copies.js";
import { byId, make, say } from "./dom.js";
import { data, grouped } from "./page_data.js";
import { shown } from "./state.js";

/** The walk from the worst point on: its order, and the place in it; -1 before the first. */
const worst = { by: "error", place: -1 };
/** @type {Record<string, Uint32Array>} the points in each order, worst first; made when asked for */
const orders = {};

/**
 * @param {string} by error: of the reconstruction, largest first; same: how few of the neighbours have the point's label,
 * fewest first, then by error; kept: how few neighbours the map has kept, likewise. Ties by index.
 * @returns {Uint32Array}
 */
export function worstBy(by) {
  if (!orders[by]) {
    const { errors } = data;
    const counts = by === "same" ? data.same : by === "kept" ? data.kept : null;
    orders[by] = counts ? byCount(counts, worstBy("error")) : byError(errors);
  }
  return orders[by];
}

/** @param {Float32Array} errors none below 0, so that their bits are in the same order @returns {Uint32Array} */
function byError(errors) {
  // Pairs of an error's bits and a point, each sorted as one number: without a function that compares, that takes a tenth.
  const pairs = new Uint32Array(2 * errors.length);
  const bits = new Uint32Array(errors.buffer, errors.byteOffset, errors.length);
  for (let i = 0; i < errors.length; i++) {
    pairs[2 * i] = i;
    pairs[2 * i + 1] = 0xffffffff - bits[i];
  }
  new BigUint64Array(pairs.buffer).sort();
  const order = new Uint32Array(errors.length);
  for (let place = 0; place < order.length; place++) order[place] = pairs[2 * place];
  return order;
}

/** @param {ArrayLike<number>} keys small whole numbers, by point @param {Uint32Array} order of points @returns {Uint32Array} by the keys; equal ones in the given order */
export function byCount(keys, order) {
  const starts = new Uint32Array(2 ** 16 + 1);
  for (const i of order) starts[keys[i] + 1]++;
  for (let key = 0; key < 2 ** 16; key++) starts[key + 1] += starts[key];
  const sorted = new Uint32Array(order.length);
  for (const i of order) sorted[starts[keys[i]]++] = i;
  return sorted;
}

export function listenToWorst() {
  const by = /** @type {HTMLSelectElement} */ (byId("by"));
  const names = { error: "by error", same: "by disagreement", kept: "by lost neighbours" };
  for (const [key, name] of Object.entries(names)) {
    if (key in colourings()) by.append(make("option", { value: key }, name));
  }
  if (data.copies.length) by.append(make("option", { value: "copies" }, "copies"));
  by.addEventListener("change", () => Object.assign(worst, { by: by.value, place: -1 }) && showPlace());
  byId("next").addEventListener("click", () => walkWorst(1));
  byId("back").addEventListener("click", () => walkWorst(-1));
  showPlace();
}

/** Go to the next worst point whose class is switched on. @param {1 | -1} step */
export function walkWorst(step) {
  const order = worst.by === "copies" ? data.copies.map(({ points }) => points[0]) : worstBy(worst.by);
  let place = worst.place + step;
  while (place >= 0 && place < order.length && !shown[order[place]]) place += step;
  if (place < 0 || place >= order.length) return say("No more");
  worst.place = place;
  showPlace();
  select(worst.by === "copies" ? -1 : order[place]);
  if (worst.by === "copies") setGroup(groupOfCopies(place));
}

function showPlace() {
  byId("place").textContent =
    worst.place < 0 ? "" : `${grouped(worst.place + 1)} of ${grouped(worst.by === "copies" ? data.copies.length : data.count)}`;
  /** @type {HTMLButtonElement} */ (byId("back")).disabled = worst.place <= 0;
}
