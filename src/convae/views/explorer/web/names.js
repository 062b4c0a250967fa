import { darkTheme } from "./colours.js";
import { styleOf } from "./dom.js";
import { data } from "./page_data.js";
import { state } from "./state.js";
import { toLeft, toTop, view } from "./view.js";

/** A class's name on the map: its middle and half its width and height, in CSS pixels. @typedef {{label: number, text: string, left: number, top: number, wide: number, high: number}} Name */

/** @returns {number} the height of names in CSS pixels */
function sizeOfNames() {
  return data.classes.length > 12 || view.width < 500 ? 14 : 22;
}

/** @param {CanvasRenderingContext2D} context @returns {Name[]} the classes' names in the window, largest class first, without those that would cover others */
export function placeNames(context) {
  /** @type {Name[]} */
  const placed = [];
  const size = sizeOfNames();
  context.font = `700 ${size}px system-ui, sans-serif`;
  for (const [label, x, y] of data.centres) {
    const [left, top] = [toLeft(x), toTop(y)];
    if (state.hidden.has(label) || left < 0 || left > view.width || top < view.bar || top > view.height) continue;
    const name = data.classes[label];
    const text = name.length > 24 ? `${name.slice(0, 10)}\u2026${name.slice(-12)}` : name;
    const [wide, high] = [context.measureText(text).width / 2 + 4, size / 2 + 2];
    if (!covered(placed, left, top, wide, high)) placed.push({ label, text, left, top, wide, high });
  }
  return placed;
}

/** @param {Name[]} names @param {number} left @param {number} top the middle of a box @param {number} wide @param {number} high half its sides @returns {boolean} whether a name is in it */
export function covered(names, left, top, wide, high) {
  return names.some((name) => Math.abs(name.left - left) < name.wide + wide && Math.abs(name.top - top) < name.high + high);
}

/** Write names in their classes' colours, with a halo. @param {CanvasRenderingContext2D} context @param {Name[]} names */
export function drawNames(context, names) {
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  Object.assign(context, { font: `700 ${sizeOfNames()}px system-ui, sans-serif`, textAlign: "center", textBaseline: "middle" });
  Object.assign(context, { lineWidth: 6, lineJoin: "round", strokeStyle: styleOf("--map"), fillStyle: styleOf("--ink") });
  context.globalAlpha = state.focus ? 0.75 : 1;
  for (const { label, text, left, top } of names) {
    if (state.colour === "class") context.fillStyle = data.shades[label][darkTheme.matches ? 1 : 0];
    context.strokeText(text, left, top);
    context.fillText(text, left, top);
  }
  context.globalAlpha = 1;
  context.setTransform(1, 0, 0, 1, 0, 0);
}
