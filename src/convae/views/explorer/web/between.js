import { setChoosing, setPart } from "./actions.js";
import { button, byId, canvasById, make } from "./dom.js";
import { latentsOf, meanOf, networkOf } from "./latents.js";
import { data } from "./page_data.js";
import { showPixels } from "./pixels.js";
import { drawTile, loadSheet, namedTile } from "./sheets.js";
import { state } from "./state.js";

/** @type {Promise<Float32Array[]> | null} the latents of both ends of the way that is shown */
let ends = null;

/** Show the way from the selected point to another: what the decoder makes of the latent vectors in between. */
export function showBetween() {
  const section = byId("between");
  byId("map").classList.toggle("choosing", state.choosing);
  ends = null;
  section.hidden = state.selected < 0 || !data.network;
  section.replaceChildren();
  if (section.hidden) return;
  const text = state.choosing ? "Now choose the other image" : state.other < 0 ? "Choose another image" : "Choose another";
  const chooser = button(text, () => setChoosing(!state.choosing), {
    id: "chooser",
    title: "See what the decoder makes of the way to it (B); a click with Shift chooses it, too",
    "aria-pressed": state.choosing,
  });
  section.append(make("div", { className: "head" }, make("h3", { id: "between-title" }, "In between"), chooser));
  if (state.other < 0) return;
  section.append(...wayTo(state.other));
  ends = latentsOf([state.selected, state.other]);
  setPart(state.part);
}

/** @param {number} other @returns {HTMLElement[]} both images, what is made of them, and a slider */
function wayTo(other) {
  const made = ["decoded", "faded"].map((id) => make("canvas", { id, role: "img", ...data.thumbnail }));
  const pictures = [namedTile("images", state.selected), ...made, namedTile("images", other)];
  const captions = [`Index ${data.rows[state.selected]}`, "Decoded", "Cross-fade", `Index ${data.rows[other]}`];
  const figures = pictures.map((picture, place) => make("figure", {}, picture, make("figcaption", {}, captions[place])));
  const slider = make("input", { id: "part", type: "range", min: "0", max: "1", step: "0.01" });
  slider.setAttribute("aria-label", "How far to the other image");
  slider.addEventListener("input", () => setPart(slider.valueAsNumber));
  return [make("div", { className: "way" }, ...figures), slider];
}

/** Show what lies so far along the way as the slider is. */
export async function showPart() {
  const { part } = state;
  const slider = /** @type {HTMLInputElement} */ (byId("part"));
  slider.valueAsNumber = part;
  slider.setAttribute("aria-valuetext", `${Math.round(100 * part)} per cent`);
  const both = ends;
  const points = [state.selected, state.other];
  await Promise.all(points.map((point) => loadSheet("images", point)));
  try {
    const latents = (await both) ?? [];
    // By now the slider, or an end, may be another.
    if (!latents.length || ends !== both || state.part !== part) return;
    showPixels(canvasById("decoded"), networkOf().decode(meanOf(latents, [1 - part, part])), data.network.image_shape);
    nameMade("decoded", "Decoded");
  } catch (error) {
    if (ends === both) byId("between").replaceChildren(make("p", {}, /** @type {Error} */ (error).message));
    return;
  }
  showFaded(points, part);
}

/** @param {number[]} points both ends @param {number} part of the way */
function showFaded(points, part) {
  const { width, height } = data.thumbnail;
  const context = /** @type {CanvasRenderingContext2D} */ (canvasById("faded").getContext("2d", { willReadFrequently: true }));
  for (const [place, point] of points.entries()) {
    context.globalAlpha = place ? part : 1;
    drawTile(context, "images", point, 0, 0, width, height);
  }
  nameMade("faded", "Cross-fade of the pixels");
}

/** @param {string} id of a canvas @param {string} name of what it shows */
function nameMade(id, name) {
  canvasById(id).setAttribute("aria-label", `${name}, ${Math.round(100 * state.part)} per cent of the way`);
}
