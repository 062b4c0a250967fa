import { keepAddress } from "./address.js";
import { neighboursOf, partOf } from "./beside.js";
import { hover } from "./card.js";
import { insidePolygon, nearestOnMap } from "./cells.js";
import { paintAll } from "./colours.js";
import { byId, say } from "./dom.js";
import { redraw } from "./frames.js";
import { showHint, tell } from "./hint.js";
import { data, describe, grid, grouped, short } from "./page_data.js";
import { changed, shown, state } from "./state.js";
import { bringIntoView, showPoints } from "./view.js";

/** @import { Group, Made } from "./state.js" */

/** @returns {number[] | undefined} the points that stand out from the others: the selected one and its nearest, or the group */
function focused() {
  const chosen = [state.selected, state.other].filter((point) => point >= 0);
  return chosen.length ? [...chosen, ...state.near[0].points] : (state.made ?? state.group)?.points;
}

/** Zoom to the points that stand out. */
export function zoomToFocus() {
  const points = focused();
  if (points) showPoints(points);
  else say("Nothing is selected");
}

function refocus() {
  const points = focused();
  state.focus = points ? new Uint8Array(data.count) : null;
  state.focused = points ?? [];
  for (const i of points ?? []) /** @type {Uint8Array} */ (state.focus)[i] = 1;
  byId("welcome").hidden = Boolean(points);
  showHint();
  /** @type {HTMLButtonElement} */ (byId("fit")).disabled = !points;
  redraw("points");
  keepAddress();
}

/** @param {number} point -1 for none @param {boolean} [aloud] whether screen readers say it */
export function select(point, aloud = true) {
  hover(-1);
  Object.assign(state, { selected: point, row: 0, step: -1, near: [], other: -1, choosing: false });
  if (point >= 0) {
    const near = neighboursOf(point);
    if (!near) void partOf(point).then(() => addNear(point));
    state.near = [
      { title: "Nearest in latent space", ...(near ?? { points: [], distances: [] }) },
      { title: "Nearest on the map", ...nearestOnMap(grid, point, data.k) },
    ];
    bringIntoView(point);
  }
  if (point >= 0 && state.made) showOnly(null);
  changed("selected");
  refocus();
  if (aloud && point >= 0) say(`${describe(point)}. ${sentenceOf(point)}`);
}

/** Show the selected point's nearest in latent space, once they are here. @param {number} point that they were wanted for */
function addNear(point) {
  const near = neighboursOf(point);
  if (!near || state.selected !== point || state.near[0].points.length) return;
  Object.assign(state.near[0], near);
  changed("selected");
  refocus();
  say(sentenceOf(point));
}

/** @param {number} point that is selected @returns {string} what its neighbours say about it */
function sentenceOf(point) {
  const [near, onMap] = state.near;
  if (!near.points.length) return "";
  const common = onMap.points.filter((i) => near.points.includes(i)).length;
  const alike = data.same ? `${data.same[point]} of ${data.k} nearest have its class; ` : "";
  return `${alike}${common} of ${data.k} in common with the map`;
}

/** Select a point, or make it the other end of the way. @param {number} point @param {boolean} [asOther] as a click with Shift does */
export function choose(point, asOther = false) {
  const other = (asOther || state.choosing) && state.selected >= 0 && point !== state.selected && data.network;
  if (!other) return select(point);
  setOther(point, 0.5);
  byId("part").focus();
  say(`In between, to ${describe(point)}. The arrow keys go along the way`);
}

/** @param {number} point that the way from the selected one leads to @param {number} part how far along it */
export function setOther(point, part) {
  Object.assign(state, { other: point, part, choosing: false });
  changed("between");
  refocus();
}

/** @param {number} part of the way, from 0, the selected point, to 1, the other */
export function setPart(part) {
  state.part = part;
  redraw("marks");
  keepAddress();
  changed("part");
}

/** @param {boolean} choosing whether what is chosen next becomes the other end */
export function setChoosing(choosing) {
  if (state.selected < 0 || !data.network) return;
  const focused = byId("between").contains(document.activeElement);
  state.choosing = choosing;
  changed("between");
  if (focused) byId("chooser").focus();
  if (choosing) say("Choose the other image");
}

/** Show what the network has made, in place of a selected point. @param {Made | null} made */
export function setMade(made) {
  if (made && state.selected >= 0) select(-1);
  const first = !state.made;
  showOnly(made);
  refocus();
  if (made && first) say(`${made.title}. ${made.near}: ${describe(made.points[0])}`);
}

/** @param {Made | null} made */
function showOnly(made) {
  state.made = made;
  changed("made");
}

/** @param {boolean} decoding whether a click on the map decodes what is there */
export function setDecoding(decoding) {
  if (!data.network) return;
  if (decoding) setLasso(false);
  state.decoding = decoding;
  byId("decode").setAttribute("aria-pressed", String(decoding));
  byId("map").classList.toggle("decoding", decoding);
  if (decoding) tell("Click on the map, or drag: the panel shows what the network makes of that place.");
}

/** @param {Group | null} group */
export function setGroup(group) {
  if (group && state.made) showOnly(null);
  state.group = group;
  changed("group");
  refocus();
  if (group) say(`${group.title}: ${grouped(group.points.length)} points`);
}

/** Make the points inside a lasso the group. @param {number[][]} polygon in map units */
export function lassoed(polygon) {
  const points = insidePolygon(data.positions, polygon, (i) => shown[i] === 1);
  const address = /** @type {[string, string]} */ (["lasso", polygon.map((corner) => corner.join("_")).join("~")]);
  setGroup(points.length ? { title: "Lasso", points, polygon, address } : null);
  if (!points.length) say("No point in the lasso");
}

/** @param {string} colour key of a way of colouring */
export function setColour(colour) {
  state.colour = colour;
  paintAll();
  changed("colour");
  redraw("points");
  keepAddress();
}

/** @param {Iterable<number>} hidden the classes that are switched off */
export function setHidden(hidden) {
  state.hidden = new Set(hidden);
  for (let i = 0; i < data.count; i++) shown[i] = data.labels && state.hidden.has(data.labels[i]) ? 0 : 1;
  changed("hidden");
  redraw("points");
  keepAddress();
  if (state.group?.polygon) lassoed(state.group.polygon);
}

/** @param {number} label */
export function toggleClass(label) {
  const hidden = new Set(state.hidden);
  if (!hidden.delete(label)) hidden.add(label);
  setHidden(hidden);
}

/** Show one class alone; all, if it was alone. @param {number} label */
export function aloneClass(label) {
  const others = [...data.classes.keys()].filter((other) => other !== label);
  setHidden(state.hidden.size === others.length && !state.hidden.has(label) ? [] : others);
}

/** @param {boolean} lasso whether dragging draws a lasso */
export function setLasso(lasso) {
  if (lasso) setDecoding(false);
  state.lasso = lasso;
  byId("lasso").setAttribute("aria-pressed", String(lasso));
  byId("map").classList.toggle("drawing", lasso);
}

/** @param {boolean} pictures whether as many images as have room are on the map */
export function setPictures(pictures) {
  state.pictures = pictures;
  byId("pictures").setAttribute("aria-pressed", String(pictures));
  redraw("points");
  keepAddress();
}

/** Walk along the neighbours of the selected point. @param {number} along @param {number} across */
export function walkNeighbours(along, across) {
  const { points } = state.near[state.row];
  if (!points.length) return;
  if (across) Object.assign(state, { row: 1 - state.row, step: Math.max(0, state.step) });
  else if (state.step < 0) state.step = along > 0 ? 0 : points.length - 1;
  else state.step = (state.step + along + points.length) % points.length;
  const { title, points: row, distances } = state.near[state.row];
  const point = row[state.step];
  bringIntoView(point);
  hover(point);
  changed("step");
  const distance = short(distances[state.step]);
  say(`${state.step + 1} of ${points.length} ${title.toLowerCase()}: ${describe(point)}, distance ${distance}`);
}
