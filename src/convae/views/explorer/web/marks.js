import { cssColour } from "./colours.js";
import { canvasById, styleOf } from "./dom.js";
import { drawn, pictureAt } from "./pictures.js";
import { radiusOf } from "./renderer.js";
import { state } from "./state.js";
import { placeOf, toLeft, toTop, view } from "./view.js";

/** @import { Made } from "./state.js" */

/** Draw what lies over the points: rings, lines to the neighbours, the lasso. */
export function drawMarks() {
  const canvas = canvasById("marks");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  const [ink, accent] = [styleOf("--ink"), styleOf("--accent")];
  const outline = state.drawing.length ? state.drawing : state.selected < 0 ? (state.group?.polygon ?? []) : [];
  drawPolygon(context, outline, accent);
  if (state.selected >= 0) {
    drawLines(context, ink);
    for (const i of state.near[1].points) if (!isUnderPicture(i)) ring(context, i, 4, ink, 1, [2, 2]);
    for (const i of state.near[0].points) if (!isUnderPicture(i)) spot(context, i, 2, ink);
    spot(context, state.selected, 3, accent);
    ring(context, state.selected, 7, accent, 2);
  }
  drawWay(context, accent);
  if (state.made) drawMade(context, state.made, ink, accent);
  if (state.hover >= 0) ring(context, state.hover, 6, ink, 2);
}

/** @param {number} point @returns {boolean} whether the picture of another point that stands out covers it */
function isUnderPicture(point) {
  const over = pictureAt(...placeOf(point));
  return over >= 0 && over !== point && state.focus?.[over] === 1;
}

/** Draw a ring round a disc, or a frame round a picture. @param {CanvasRenderingContext2D} context @param {number} point @param {number} more pixels than the disc @param {string} colour @param {number} width @param {number[]} dashes */
function ring(context, point, more, colour, width, dashes = []) {
  const [left, top] = placeOf(point);
  context.beginPath();
  if (drawn.points.has(point)) {
    const [wide, high] = [drawn.width + more, drawn.height + more];
    context.roundRect(left - wide / 2, top - high / 2, wide, high, 3);
  } else context.arc(left, top, radiusOf() + more, 0, 2 * Math.PI);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.setLineDash(dashes);
  context.stroke();
  context.setLineDash([]);
}

/** A disc in the point's colour, with an edge; of a picture only the edge. @param {CanvasRenderingContext2D} context @param {number} point @param {number} more @param {string} edge */
function spot(context, point, more, edge) {
  if (!drawn.points.has(point)) {
    context.beginPath();
    context.arc(...placeOf(point), radiusOf() + more, 0, 2 * Math.PI);
    context.fillStyle = cssColour(point);
    context.fill();
  }
  ring(context, point, more, edge, 1.5);
}

/** @param {CanvasRenderingContext2D} context @param {string} colour */
function drawLines(context, colour) {
  context.beginPath();
  for (const i of state.near[0].points) {
    context.moveTo(...placeOf(state.selected));
    context.lineTo(...placeOf(i));
  }
  context.globalAlpha = 0.35;
  context.lineWidth = 1;
  context.strokeStyle = colour;
  context.stroke();
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {number[][]} polygon @param {string} colour */
function drawPolygon(context, polygon, colour) {
  if (polygon.length < 2) return;
  context.beginPath();
  for (const [x, y] of polygon) context.lineTo(toLeft(x), toTop(y));
  context.closePath();
  context.globalAlpha = 0.08;
  context.fillStyle = colour;
  context.fill("evenodd");
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.strokeStyle = colour;
  context.stroke();
}

/** Draw where what was made belongs, and the points that decided it. @param {CanvasRenderingContext2D} context @param {Made} made @param {string} ink @param {string} accent */
function drawMade(context, { x, y, points }, ink, accent) {
  const [left, top] = [toLeft(x), toTop(y)];
  context.beginPath();
  for (const i of points) {
    context.moveTo(left, top);
    context.lineTo(...placeOf(i));
  }
  context.globalAlpha = 0.35;
  context.lineWidth = 1;
  context.strokeStyle = ink;
  context.stroke();
  context.globalAlpha = 1;
  for (const i of points) spot(context, i, 2, ink);
  context.beginPath();
  context.arc(left, top, 7, 0, 2 * Math.PI);
  context.lineWidth = 3;
  context.strokeStyle = accent;
  context.stroke();
}

/** @returns {[number, number, number, number]} the selected point's place, and the way from it to the other, in CSS pixels */
function wayOf() {
  const [[x, y], [otherX, otherY]] = [placeOf(state.selected), placeOf(state.other)];
  return [x, y, otherX - x, otherY - y];
}

/** @param {{x: number, y: number}} place on the map @returns {boolean} whether it is where on the way the slider is */
export function onHandle(place) {
  if (state.other < 0 || state.choosing) return false;
  const [x, y, right, down] = wayOf();
  return Math.hypot(x + right * state.part - place.x, y + down * state.part - place.y) < 10;
}

/** @param {{x: number, y: number}} place on the map @returns {number} how far along the way the nearest part of it is */
export function partNear(place) {
  const [x, y, right, down] = wayOf();
  const part = ((place.x - x) * right + (place.y - y) * down) / (right * right + down * down || 1);
  return Math.round(100 * Math.max(0, Math.min(1, part))) / 100;
}

/** Draw the way between the two points, and where the slider is. @param {CanvasRenderingContext2D} context @param {string} colour */
function drawWay(context, colour) {
  if (state.other < 0) return;
  const [x, y, right, down] = wayOf();
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + right, y + down);
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.stroke();
  spot(context, state.other, 3, colour);
  ring(context, state.other, 7, colour, 2);
  context.beginPath();
  context.arc(x + right * state.part, y + down * state.part, 6, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}
