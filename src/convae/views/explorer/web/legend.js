import { aloneClass, setColour, setHidden, toggleClass } from "./actions.js";
import { colourings, ramp } from "./colours.js";
import { button, byId, make, swatch } from "./dom.js";
import { data, grouped } from "./page_data.js";
import { state } from "./state.js";

/** Offer the ways of colouring that the data has. */
export function makeLegend() {
  for (const [key, { name, about }] of Object.entries(colourings())) {
    const input = make("input", { type: "radio", name: "colour", value: key });
    input.addEventListener("change", () => setColour(key));
    byId("colour").append(make("label", { title: about }, input, make("span", {}, name)));
  }
  const counts = data.classes.map(() => 0);
  for (const label of data.labels ?? []) counts[label]++;
  data.classes.forEach((name, label) => {
    const chip = button("", (event) => (event.shiftKey ? aloneClass(label) : toggleClass(label)), { title: name });
    // By then, the two clicks of a double click have switched the class off and on again.
    chip.addEventListener("dblclick", (event) => void (event.shiftKey || aloneClass(label)));
    chip.append(swatch(data.colours[label]), make("span", {}, name), make("small", {}, grouped(counts[label])));
    byId("classes").append(make("li", {}, chip));
  });
  byId("classes").append(
    make(
      "li",
      {},
      button("Show all", () => setHidden([]), { id: "all", className: "quiet" }),
    ),
  );
  byId("classes").hidden = !data.labels;
}

/** Show which classes are on, and what the colours mean. */
export function showLegend() {
  const byClass = state.colour === "class";
  for (const input of document.querySelectorAll("#colour input")) {
    const radio = /** @type {HTMLInputElement} */ (input);
    radio.checked = radio.value === state.colour;
  }
  byId("classes").classList.toggle("plain", !byClass);
  [...byId("classes").querySelectorAll("li button:not(#all)")].forEach((chip, label) => {
    chip.setAttribute("aria-pressed", String(!state.hidden.has(label)));
  });
  byId("all").hidden = state.hidden.size === 0;
  const { ends, about } = colourings()[state.colour];
  const scale = byId("scale");
  scale.hidden = byClass;
  scale.setAttribute("aria-label", `${about}: pale ${ends[0]}, strong ${ends[1]}`);
  scale.title = about;
  const [pale, bar, strong] = /** @type {HTMLElement[]} */ ([...scale.children]);
  [pale.textContent, strong.textContent] = ends;
  bar.style.background = `linear-gradient(90deg, ${ramp().join(", ")})`;
}
