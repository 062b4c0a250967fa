"use strict";

/** @type {number[][]} the lasso that is being drawn, in map units */
let drawing = [];

/** Draw what lies over the points: rings, lines to the neighbours, the lasso. */
function drawMarks() {
  const canvas = canvasById("marks");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  const [ink, accent] = [styleOf("--ink"), styleOf("--accent")];
  const outline = drawing.length ? drawing : state.selected < 0 ? (state.group?.polygon ?? []) : [];
  drawPolygon(context, outline, accent);
  if (state.selected >= 0) {
    drawLines(context, ink);
    for (const i of near[1].points) ring(context, i, 4, ink, 1, [2, 2]);
    for (const i of near[0].points) spot(context, i, 2, ink);
    spot(context, state.selected, 3, accent);
    ring(context, state.selected, 7, accent, 2);
  }
  drawBetween(context, accent);
  if (state.hover >= 0) ring(context, state.hover, 6, ink, 2);
}

/** @param {number} point @returns {[number, number]} CSS pixels */
function placeOf(point) {
  return [toLeft(data.positions[2 * point]), toTop(data.positions[2 * point + 1])];
}

/** @param {CanvasRenderingContext2D} context @param {number} point @param {number} more pixels than the disc @param {string} colour @param {number} width @param {number[]} dashes */
function ring(context, point, more, colour, width, dashes = []) {
  const radius = thumbnailSide ? thumbnailSide * 0.75 : radiusOf();
  context.beginPath();
  context.arc(...placeOf(point), radius + more, 0, 2 * Math.PI);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.setLineDash(dashes);
  context.stroke();
  context.setLineDash([]);
}

/** A disc in the point's colour, with an edge; of a thumbnail only the edge. @param {CanvasRenderingContext2D} context @param {number} point @param {number} more @param {string} edge */
function spot(context, point, more, edge) {
  if (!thumbnailSide) {
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
  for (const i of near[0].points) {
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
