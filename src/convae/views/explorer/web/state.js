"use strict";

/**
 * Points that are looked at together, and how the address names them.
 * @typedef {{title: string, points: number[], polygon: number[][] | null, address: [string, string]}} Group
 */

/** What the person has chosen; each function below changes a part, and refreshes what shows it. */
const state = {
  selected: -1,
  hover: -1,
  /** Which row of neighbours is walked along, and where in it; -1 before the first. */
  row: 0,
  step: -1,
  colour: "error",
  /** @type {Set<number>} classes that are switched off */
  hidden: new Set(),
  /** @type {Group | null} */
  group: null,
  lasso: false,
};
/** @type {Uint8Array} 1 for points whose class is switched on */
let shown;
/** @type {Uint8Array | null} */
let focusMask = null;
/** @type {{points: number[], distances: number[]}[]} of the selected point: in latent space, on the map */
let near = [];

/** @returns {Uint8Array | null} 1 for the points that stand out, if some do */
function focused() {
  return focusMask;
}

function refocus() {
  const chosen = [state.selected, between.other].filter((point) => point >= 0);
  const points = chosen.length ? [...chosen, ...near[0].points] : state.group?.points;
  focusMask = points ? new Uint8Array(data.count) : null;
  for (const i of points ?? []) /** @type {Uint8Array} */ (focusMask)[i] = 1;
  byId("welcome").hidden = Boolean(points);
  byId("hint").hidden = Boolean(points);
  redraw("points");
  keepAddress();
}

/** @param {number} point -1 for none @param {boolean} [aloud] whether screen readers say it */
function select(point, aloud = true) {
  hover(-1);
  Object.assign(state, { selected: point, row: 0, step: -1 });
  near = [];
  if (point >= 0) {
    const [start, end] = [point * data.k, (point + 1) * data.k];
    const [points, distances] = [data.neighbours.subarray(start, end), data.distances.subarray(start, end)];
    near = [{ points: [...points], distances: [...distances] }, nearestOnMap(grid, point, data.k)];
    bringIntoView(point);
  }
  Object.assign(between, { other: -1, choosing: false, ends: null });
  showSelected();
  showBetween();
  refocus();
  // On a narrow window the panel is below the map, and has its texts above.
  const narrow = byId("panel").offsetTop > 0;
  byId("panel").scrollTop = narrow && point >= 0 ? byId("selected").offsetTop - byId("panel").offsetTop - 12 : 0;
  if (aloud && point >= 0) say(`${describe(point)}. ${sentenceOf(point)}`);
}

/** @param {Group | null} group */
function setGroup(group) {
  state.group = group;
  showGroup();
  refocus();
  if (group) say(`${group.title}: ${grouped(group.points.length)} points`);
}

/** @param {string} colour key of a way of colouring */
function setColour(colour) {
  state.colour = colour;
  paintAll();
  showLegend();
  for (const item of document.querySelectorAll(".strip button")) colourItem(/** @type {HTMLElement} */ (item));
  redraw("points");
  keepAddress();
}

/** @param {Iterable<number>} hidden the classes that are switched off */
function setHidden(hidden) {
  state.hidden = new Set(hidden);
  for (let i = 0; i < data.count; i++) shown[i] = data.labels && state.hidden.has(data.labels[i]) ? 0 : 1;
  showLegend();
  redraw("points");
  keepAddress();
  if (state.group?.polygon) lassoed(state.group.polygon);
}

/** @param {number} label */
function toggleClass(label) {
  const hidden = new Set(state.hidden);
  if (!hidden.delete(label)) hidden.add(label);
  setHidden(hidden);
}

/** Show one class alone; all, if it was alone. @param {number} label */
function aloneClass(label) {
  const others = [...data.classes.keys()].filter((other) => other !== label);
  setHidden(state.hidden.size === others.length && !state.hidden.has(label) ? [] : others);
}

/** @param {boolean} lasso whether dragging draws a lasso */
function setLasso(lasso) {
  state.lasso = lasso;
  byId("lasso").setAttribute("aria-pressed", String(lasso));
  byId("map").classList.toggle("drawing", lasso);
}

/** Clear what Escape clears: a lasso that is being drawn, else the choice of another image, else the selected point, else the group, else the lasso. */
function clearOne() {
  if (cancelDrag()) return;
  if (between.choosing) return setChoosing(false);
  if (state.selected >= 0) return select(-1);
  if (state.group) return setGroup(null);
  setLasso(false);
}

/** Walk along the neighbours of the selected point. @param {number} along @param {number} across */
function walkNeighbours(along, across) {
  const { points } = near[state.row];
  if (!points.length) return;
  if (across) Object.assign(state, { row: 1 - state.row, step: Math.max(0, state.step) });
  else if (state.step < 0) state.step = along > 0 ? 0 : points.length - 1;
  else state.step = (state.step + along + points.length) % points.length;
  const point = near[state.row].points[state.step];
  bringIntoView(point);
  hover(point);
  markStep();
  const distance = short(near[state.row].distances[state.step]);
  say(`${state.step + 1} of ${points.length} ${ROWS[state.row].toLowerCase()}: ${describe(point)}, distance ${distance}`);
}
