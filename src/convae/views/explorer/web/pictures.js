import { cssColour } from "./colours.js";
import { covered } from "./names.js";
import { data } from "./page_data.js";
import { imageDrawer } from "./scaled.js";
import { shown, state } from "./state.js";
import { placeOf, view, wholeView } from "./view.js";

/** @import { Name } from "./names.js" */

/** The side of a picture in CSS pixels, in the view of the whole map and at the most; its frame, and the gap to the next. */
const [SIDE, LARGEST, FRAME, GAP] = [40, 96, 2, 2];
/** What is chosen holds for a level of zoom; so many levels double the scale. */
const STEPS = 4;

/** The points whose pictures are drawn, and the size of these, frame and all, in CSS pixels. */
export const drawn = { points: /** @type {Set<number>} */ (new Set()), width: 0, height: 0 };

/** The choices made so far: what they hold for, and the points of each level from that of the whole map on. */
const choices = { whole: 0, ratio: 0, hidden: state.hidden, levels: /** @type {number[][]} */ ([]) };
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

/**
 * Choose points whose pictures do not cover each other at a level.
 * @param {number} level @param {...number[]} candidates each that has room beside those before it is chosen
 * @returns {number[]}
 */
function withRoom(level, ...candidates) {
  const beside = 2 * Math.round(FRAME * view.ratio) + Math.round(GAP * view.ratio);
  const scale = 2 ** (level / STEPS) * view.ratio;
  const [right, up] = sizeAt(level, choices.whole).map((size) => (size + beside) / scale);
  const { positions } = data;
  /** @type {Map<number, number>} the point chosen in each cell of this size: there is no room for two */
  const cells = new Map();
  const column = 2 ** 26;
  const around = [-1, 0, 1].flatMap((step) => [-1, 0, 1].map((row) => step * column + row));
  for (const i of candidates.flatMap((each) => [...each])) {
    const [x, y] = [positions[2 * i], positions[2 * i + 1]];
    const cell = Math.floor(x / right) * column + Math.floor(y / up);
    if (!shown[i] || cells.has(cell)) continue;
    const taken = around.some((step) => {
      const other = cells.get(cell + step) ?? -1;
      return other >= 0 && Math.abs(positions[2 * other] - x) < right && Math.abs(positions[2 * other + 1] - y) < up;
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

/** @param {number} level @returns {number[]} the same; what is in focus comes first */
function pointsAt(level) {
  const choice = chosenAt(level);
  const { focus, selected, other } = state;
  if (!focus) return choice;
  if (selection.choice !== choice || selection.focus !== focus) {
    const first = [selected, other].filter((point) => point >= 0);
    const points = withRoom(
      level,
      first,
      order.filter((i) => focus[i]),
      choice,
    );
    Object.assign(selection, { choice, focus, points });
  }
  return selection.points;
}

/**
 * Draw images where they cover neither each other nor a name, each over its disc.
 * @param {CanvasRenderingContext2D} context @param {Name[]} names
 */
export function drawPictures(context, names) {
  const level = levelOf(view.scale);
  const points = pointsAt(level);
  const [wide, high] = sizeAt(level, choices.whole);
  const frame = Math.round(FRAME * view.ratio);
  context.lineWidth = frame;
  const drawImage = imageDrawer(context, wide, high);
  drawn.width = (wide + 2 * frame) / view.ratio;
  drawn.height = (high + 2 * frame) / view.ratio;
  for (const i of points) {
    const [left, top] = placeOf(i);
    if (Math.abs(left - view.width / 2) > (view.width + drawn.width) / 2) continue;
    if (Math.abs(top - view.height / 2) > (view.height + drawn.height) / 2) continue;
    if (!state.focus?.[i] && covered(names, left, top, drawn.width / 2, drawn.height / 2)) continue;
    drawn.points.add(i);
    const [x, y] = [Math.round(left * view.ratio) - (wide >> 1), Math.round(top * view.ratio) - (high >> 1)];
    context.globalAlpha = state.focus && !state.focus[i] ? 0.35 : 1;
    context.strokeStyle = cssColour(i);
    context.strokeRect(x - frame / 2, y - frame / 2, wide + frame, high + frame);
    drawImage(i, x, y);
  }
  context.globalAlpha = 1;
}

/** @param {number} x @param {number} y in CSS pixels @returns {number} the point whose picture is there, or -1 */
export function pictureAt(x, y) {
  for (const i of drawn.points) {
    const [left, top] = placeOf(i);
    if (Math.abs(left - x) <= drawn.width / 2 && Math.abs(top - y) <= drawn.height / 2) return i;
  }
  return -1;
}
