import { setMade } from "./actions.js";
import { byId, closing, make } from "./dom.js";
import { data } from "./page_data.js";
import { strip } from "./panel.js";
import { showPixels } from "./pixels.js";
import { state } from "./state.js";

/** Show what the network has made of a place on the map, or of an image of the user's. */
export function showMade() {
  const { made } = state;
  const section = byId("made");
  section.hidden = !made;
  section.replaceChildren();
  if (!made) return;
  const figures = made.pictures.map(({ caption, pixels }) => {
    const canvas = make("canvas", { role: "img", "aria-label": caption });
    showPixels(canvas, pixels, data.network.image_shape);
    return make("figure", {}, canvas, make("figcaption", {}, caption));
  });
  section.append(
    make(
      "div",
      { className: "head" },
      make("h2", { id: "made-title" }, made.title),
      closing("Clear", () => setMade(null)),
    ),
    make("div", { className: "pictures" }, ...figures),
    make("p", { className: "about" }, made.about),
    make("h3", {}, made.near),
    strip(made.points, made.captions),
  );
}
