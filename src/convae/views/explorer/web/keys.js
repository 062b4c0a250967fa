import {
  choose,
  select,
  setChoosing,
  setColour,
  setDecoding,
  setGroup,
  setLasso,
  setMade,
  setPictures,
  walkNeighbours,
  zoomToFocus,
} from "./actions.js";
import { colourings } from "./colours.js";
import { byId, make, say } from "./dom.js";
import { data } from "./page_data.js";
import { cancelDrag, pick } from "./pointer.js";
import { decodeAt } from "./spot.js";
import { state } from "./state.js";
import { openTable } from "./table.js";
import { panBy, showWhole, toLeft, toMap, toTop, view, zoomBy } from "./view.js";
import { walkWorst } from "./worst.js";

/** @type {[string, string][]} */
const KEYS = [
  ["\u2190 \u2192", "along the neighbours; without a selected point, the map moves"],
  ["\u2191 \u2193", "the other row of neighbours; likewise"],
  ["Enter", "select: the neighbour come to, or the point nearest the middle"],
  ["Escape", "clear"],
  ["+ - 0 Z", "closer, wider, whole map, zoom to the selection"],
  ["I", "images on the map, or dots alone"],
  ["Shift + arrows", "the map moves"],
  ["N P", "next worst, less bad"],
  ["C", "next way of colouring"],
  ["B", "in between: the image chosen next is the other end; at once with Shift + Enter"],
  ["D", "decode here: a click or a drag shows what the network makes of a place; Enter the middle, arrows move it"],
  ["L", "lasso; a rectangle by dragging with Shift"],
  ["/ T", "search, table"],
];

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @type {Record<string, () => void>} */
const ACTIONS = {
  Escape: clearOne,
  "+": () => zoomBy(1.5),
  "=": () => zoomBy(1.5),
  "-": () => zoomBy(1 / 1.5),
  0: showWhole,
  n: () => walkWorst(1),
  p: () => walkWorst(-1),
  b: () => setChoosing(!state.choosing),
  d: () => setDecoding(!state.decoding),
  l: () => setLasso(!state.lasso),
  i: () => setPictures(!state.pictures),
  z: zoomToFocus,
  t: openTable,
  "/": () => byId("query").focus(),
  c: () => {
    const keys = Object.keys(colourings());
    setColour(keys[(keys.indexOf(state.colour) + 1) % keys.length]);
    say(`Coloured by ${colourings()[state.colour].name.toLowerCase()}`);
  },
};

/** Clear one thing: a lasso that is being drawn, else the choice of another image, the selected point, what was made, the group, the mode. */
function clearOne() {
  if (cancelDrag()) return;
  if (state.choosing) return setChoosing(false);
  if (state.selected >= 0) return select(-1);
  if (state.made) return setMade(null);
  if (state.group) return setGroup(null);
  setLasso(false);
  setDecoding(false);
}

export function listenToKeys() {
  const keys = KEYS.filter(([key]) => !["B", "D"].includes(key) || data.network);
  byId("keys").replaceChildren(...keys.flatMap(([key, what]) => [make("dt", {}, key), make("dd", {}, what)]));
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      // An arrow belongs to the slider or the choice that has the focus, and to a list that scrolls.
      if (target.closest("input, .counts, .rows")) return;
      event.preventDefault();
      const [right, down] = arrow;
      if (state.made && state.decoding) moveSpot(right, down);
      else if (state.selected >= 0 && !event.shiftKey && data.k) walkNeighbours(right, down);
      else panBy(-80 * right, -80 * down);
    } else if (event.key === "Enter" && (target === byId("map") || target === document.body)) {
      enter(event.shiftKey);
    } else if (Object.hasOwn(ACTIONS, event.key.length === 1 ? event.key.toLowerCase() : event.key)) {
      event.preventDefault();
      ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key]();
    }
  });
}

/** @param {HTMLElement} target @returns {boolean} whether letters belong to what has the focus: a text, a list or the table */
function isTyping(target) {
  const table = /** @type {HTMLDialogElement} */ (byId("table"));
  return table.open || Boolean(target.closest("select, textarea, input:not([type='range'], [type='radio'])"));
}

/** Decode a little farther. @param {number} right @param {number} down */
function moveSpot(right, down) {
  if (!state.made) return;
  const [x, y] = [toLeft(state.made.x) + 10 * right, toTop(state.made.y) + 10 * down];
  void decodeAt(...toMap(x, y));
}

/** Choose the neighbour that the arrow keys are at, or the point nearest to the middle of the map. @param {boolean} asOther */
function enter(asOther) {
  if (state.decoding) return void decodeAt(...toMap(view.width / 2, view.height / 2));
  const point =
    state.selected >= 0 && state.step >= 0
      ? state.near[state.row].points[state.step]
      : pick(view.width / 2, view.height / 2, Math.hypot(view.width, view.height));
  if (point >= 0) choose(point, asOther);
}
