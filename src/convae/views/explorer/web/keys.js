import {
  choose,
  select,
  setChoosing,
  setColour,
  setGroup,
  setLasso,
  setPictures,
  walkNeighbours,
  zoomToFocus,
} from "./actions.js";
import { colourings } from "./colours.js";
import { byId, make, say } from "./dom.js";
import { data } from "./page_data.js";
import { cancelDrag, pick } from "./pointer.js";
import { state } from "./state.js";
import { openTable } from "./table.js";
import { panBy, showWhole, view, zoomBy } from "./view.js";
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

/** Clear one thing: a lasso that is being drawn, else the choice of another image, the selected point, the group, the lasso. */
function clearOne() {
  if (cancelDrag()) return;
  if (state.choosing) return setChoosing(false);
  if (state.selected >= 0) return select(-1);
  if (state.group) return setGroup(null);
  setLasso(false);
}

export function listenToKeys() {
  const keys = KEYS.filter(([key]) => key !== "B" || data.network);
  byId("keys").replaceChildren(...keys.flatMap(([key, what]) => [make("dt", {}, key), make("dd", {}, what)]));
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    // A key belongs to the field that has the focus, and an arrow to a list that scrolls.
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog")) {
      if (event.key === "Escape" && target.matches("#colour input, #part")) clearOne();
      return;
    }
    const arrow = ARROWS[event.key];
    if (arrow) {
      if (target.closest(".counts, .rows")) return;
      event.preventDefault();
      const [right, down] = arrow;
      if (state.selected >= 0 && !event.shiftKey && data.k) walkNeighbours(right, down);
      else panBy(-80 * right, -80 * down);
    } else if (event.key === "Enter" && (target === byId("map") || target === document.body)) {
      enter(event.shiftKey);
    } else if (Object.hasOwn(ACTIONS, event.key.length === 1 ? event.key.toLowerCase() : event.key)) {
      event.preventDefault();
      ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key]();
    }
  });
}

/** Choose the neighbour that the arrow keys are at, or the point nearest to the middle of the map. @param {boolean} asOther */
function enter(asOther) {
  const point =
    state.selected >= 0 && state.step >= 0
      ? state.near[state.row].points[state.step]
      : pick(view.width / 2, view.height / 2, Math.hypot(view.width, view.height));
  if (point >= 0) choose(point, asOther);
}
