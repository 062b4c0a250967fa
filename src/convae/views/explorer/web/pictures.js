import { visitCells } from "./cells.js";
import { cssColour } from "./colours.js";
import { styleOf } from "./dom.js";
import { covered } from "./names.js";
import { data, grid } from "./page_data.js";
import { imageDrawer } from "./scaled.js";
import { shown, state } from "./state.js";
import { placeOf, view, wholeView, windowBox } from "./view.js";

/** @import { Name } from "./names.js" */

/** The side of a picture in CSS pixels, in the view of the whole map and at the most; its frame, and the gap to the next. */
const [SIDE, LARGEST, FRAME, GAP] = [40, 96, 2, 2];
/** What is chosen holds for a level of zoom; so many levels double the scale. */
const STEPS = 4;
/** So many points that stand out get pictures before others, where there are many. */
const MOST_FOCUSED = 2000;
/** So many times, pictures are chosen among the points that still have room. */
const ROUNDS = 3;
/** A cell's number is this times its column, plus its row; and the cells around a cell. */
const COLUMN = 2 ** 26;
const AROUND = [-1, 0, 1].flatMap((step) => [-1, 0, 1].map((row) => step * COLUMN + row));

/** The points whose pictures are drawn, and the size of these, frame and all, in CSS pixels. */
export const drawn = { points: /** @type {Set<number>} */ (new Set()), width: 0, height: 0 };

/** The choices made so far: what they hold for, and the points of each level from that of the whole map on. */
const choices = { whole: 0, ratio: 0, hidden: state.hidden, levels: /** @type {number[][]} */ ([]) };
/** Where there are many points: what was last chosen, for which part of the map, and what it holds for. */
const spread = { is: {}, box: [0, 0, 0, 0], points: /** @type {number[]} */ ([]) };
/** The last choice for a selection: what it was made for, and its points. */
const selection = { choice: /** @type {number[]} */ ([]), focus: state.focus, points: /** @type {number[]} */ ([]) };
/** @type {number[]} all points from one corner of the map to the other, since in this order more find room; made when asked for */
const order = [];

/** @param {number} scale @returns {number} */
function levelOf(scale) {
  return Math.floor(STEPS * Math.log2(scale) + 1e-9);
}

/** @param {number} level @param {number} whole the level of the whole map @returns {[number, number]} width and height in device pixels */
function sizeAt(level, whole) {
  // Each pixel of an image becomes a square of whole pixels, where there is room.
  const { height, width } = data.thumbnail;
  const side = Math.min(LARGEST, SIDE * 2 ** ((0.2 * Math.max(0, level - whole)) / STEPS));
  const room = (side * view.ratio) / Math.max(height, width);
  const part = room > 1 ? Math.floor(room) : room;
  return [Math.round(width * part), Math.round(height * part)];
}

/** @param {number} level @returns {number[]} the width and height of a picture, its frame and a gap, in map units */
function roomAt(level) {
  const beside = 2 * Math.round(FRAME * view.ratio) + Math.round(GAP * view.ratio);
  const scale = 2 ** (level / STEPS) * view.ratio;
  return sizeAt(level, choices.whole).map((size) => (size + beside) / scale);
}

/**
 * Choose points whose pictures do not cover each other at a level.
 * @param {number} level @param {...number[]} candidates each that has room beside those before it is chosen
 * @returns {number[]}
 */
function withRoom(level, ...candidates) {
  const [right, up] = roomAt(level);
  const { positions } = data;
  /** @type {Map<number, number>} the point chosen in each cell of this size: there is no room for two */
  const cells = new Map();
  for (const i of candidates.flatMap((each) => [...each])) {
    const [x, y] = [positions[2 * i], positions[2 * i + 1]];
    const cell = Math.floor(x / right) * COLUMN + Math.floor(y / up);
    if (!shown[i] || cells.has(cell)) continue;
    const taken = AROUND.some((step) => {
      const other = cells.get(cell + step) ?? -1;
      return other >= 0 && covers(i, other, right, up);
    });
    if (!taken) cells.set(cell, i);
  }
  return [...cells.values()];
}

/** @param {number} level @returns {number[]} the points chosen at it: if they have room, all those of the next wider level, or of the whole map's if it is wider than that */
function chosenAt(level) {
  const whole = levelOf(wholeView().scale);
  if (choices.whole !== whole || choices.ratio !== view.ratio || choices.hidden !== state.hidden)
    Object.assign(choices, { whole, ratio: view.ratio, hidden: state.hidden, levels: [] });
  if (!order.length) {
    const along = (/** @type {number} */ i) => data.positions[2 * i] + data.positions[2 * i + 1];
    for (const i of [...data.rows.keys()].sort((a, b) => along(a) - along(b))) order.push(i);
  }
  const { levels } = choices;
  for (let next = whole + levels.length; next <= Math.max(level, whole); next++)
    levels.push(withRoom(next, levels.at(-1) ?? [], order));
  return level < whole ? withRoom(level, levels[0]) : levels[level - whole];
}

/**
 * Where there are many points, the choice is made for the surroundings of the window alone, and depends on nothing farther away:
 * in each cell as large as a picture the first point is chosen, unless that of a cell beside it comes before it and it would cover
 * it; then, a few times, the same with the points that still have room. Only the first points are looked at, more at each level:
 * they are spread over the whole map, and in few files.
 * @param {number} level @returns {number[]}
 */
function spreadAt(level) {
  const whole = levelOf(wholeView().scale);
  const [left, bottom, right, top] = windowBox(0);
  const is = { level, whole, ratio: view.ratio, hidden: state.hidden };
  const { box: last } = spread;
  const inside = left >= last[0] && bottom >= last[1] && right <= last[2] && top <= last[3];
  if (inside && Object.entries(is).every(([key, value]) => /** @type {any} */ (spread.is)[key] === value)) return spread.points;
  choices.whole = whole;
  const [wide, tall] = [(right - left) / 2, (top - bottom) / 2];
  const box = [left - wide, bottom - tall, right + wide, top + tall];
  return Object.assign(spread, { is, box, points: spreadIn(box, level, level - whole) }).points;
}

/** @param {number[]} box @param {number} level @param {number} deeper levels than the whole map's @returns {number[]} */
function spreadIn([left, bottom, far, top], level, deeper) {
  const [right, up] = roomAt(level);
  const { positions, count } = data;
  const limit = Math.min(count, 2 * data.sheets.per_sheet * 4 ** (Math.max(0, deeper) / STEPS));
  const cellOf = (/** @type {number} */ i) =>
    Math.floor(positions[2 * i] / right) * COLUMN + Math.floor(positions[2 * i + 1] / up);
  /** @type {Map<number, number>} */
  const chosen = new Map();
  /** @type {number[]} */
  let waiting = [];
  const margin = 2 * ROUNDS;
  const [least, lowest] = [left - margin * right, bottom - margin * up];
  const [most, highest] = [far + margin * right, top + margin * up];
  const add = (/** @type {number} */ i) => {
    const [x, y] = [positions[2 * i], positions[2 * i + 1]];
    if (i < limit && shown[i] && x >= least && x <= most && y >= lowest && y <= highest) waiting.push(i);
  };
  if (limit < count / 4) for (let i = 0; i < limit; i++) add(i);
  else visitCells(grid, least, lowest, most, highest, add);
  const coveredBy = (/** @type {Map<number, number>} */ others, /** @type {number} */ i, /** @type {number} */ before) => {
    const cell = cellOf(i);
    return AROUND.some((step) => {
      const other = others.get(cell + step) ?? before;
      return other < before && covers(i, other, right, up);
    });
  };
  for (let round = 0; round < ROUNDS; round++) {
    /** @type {Map<number, number>} */
    const firsts = new Map();
    for (const i of waiting) {
      const cell = cellOf(i);
      if (i < (firsts.get(cell) ?? count)) firsts.set(cell, i);
    }
    for (const [cell, i] of firsts) if (!coveredBy(firsts, i, i)) chosen.set(cell, i);
    waiting = waiting.filter((i) => !coveredBy(chosen, i, count));
  }
  return [...chosen.values()];
}

/** @param {number} one @param {number} other @param {number} right @param {number} up the room of a picture @returns {boolean} */
function covers(one, other, right, up) {
  const { positions } = data;
  return (
    Math.abs(positions[2 * other] - positions[2 * one]) < right &&
    Math.abs(positions[2 * other + 1] - positions[2 * one + 1]) < up
  );
}

/** @param {number} level @returns {number[]} the same; what is in focus comes first */
function pointsAt(level) {
  const choice = data.sheets.beside ? spreadAt(level) : chosenAt(level);
  const { focus, focused, selected, other } = state;
  if (!focus) return choice;
  if (selection.choice !== choice || selection.focus !== focus) {
    const first = [selected, other].filter((point) => point >= 0);
    const points = withRoom(
      level,
      first,
      data.sheets.beside ? focused.slice(0, MOST_FOCUSED) : order.filter((i) => focus[i]),
      choice,
    );
    Object.assign(selection, { choice, focus, points });
  }
  return selection.points;
}

/**
 * Draw images where they cover neither each other nor, if there is room, a name, each over its disc.
 * @param {CanvasRenderingContext2D} context @param {Name[]} names
 */
export function drawPictures(context, names) {
  const level = levelOf(view.scale);
  const points = pointsAt(level);
  const [wide, high] = sizeAt(level, choices.whole);
  const frame = Math.round(FRAME * view.ratio);
  Object.assign(context, { lineWidth: frame, fillStyle: styleOf("--map") });
  const drawImage = imageDrawer(context, wide, high);
  drawn.width = (wide + 2 * frame) / view.ratio;
  drawn.height = (high + 2 * frame) / view.ratio;
  const inWindow = points.filter((i) => {
    const [left, top] = placeOf(i);
    return (
      Math.abs(left - view.width / 2) <= (view.width + drawn.width) / 2 &&
      Math.abs(top - view.height / 2) <= (view.height + drawn.height) / 2
    );
  });
  const beside = inWindow.filter((i) => {
    const [left, top] = placeOf(i);
    return state.focus?.[i] || !covered(names, left, top, drawn.width / 2, drawn.height / 2);
  });
  // Where names lie over nearly all images, as on a phone, they do so with their halo.
  for (const i of 4 * beside.length < inWindow.length ? inWindow : beside) {
    const [left, top] = placeOf(i);
    drawn.points.add(i);
    const [x, y] = [Math.round(left * view.ratio) - (wide >> 1), Math.round(top * view.ratio) - (high >> 1)];
    if (state.focus && !state.focus[i]) {
      // Else the points below would show through.
      context.fillRect(x - frame, y - frame, wide + 2 * frame, high + 2 * frame);
      context.globalAlpha = 0.35;
    }
    context.strokeStyle = cssColour(i);
    context.strokeRect(x - frame / 2, y - frame / 2, wide + frame, high + frame);
    drawImage(i, x, y);
    context.globalAlpha = 1;
  }
}

/** @param {number} x @param {number} y in CSS pixels @returns {number} the point whose picture is there, or -1 */
export function pictureAt(x, y) {
  for (const i of drawn.points) {
    const [left, top] = placeOf(i);
    if (Math.abs(left - x) <= drawn.width / 2 && Math.abs(top - y) <= drawn.height / 2) return i;
  }
  return -1;
}
